"""Jobs: pictures in the forms that servers take, for the compiled load."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from benchmarks.measuring.load import NUMBER, Job

_FORM = "picture"


def posts(pictures: Sequence[bytes], connections: int) -> Job:
    """Return POST /cameras/{camera}/frames, a camera for each connection.

    Frames have a number and an epoch, as our sender's have.
    """
    epoch = secrets.token_hex(8)
    heads = [
        [
            f"POST /cameras/post{number}/frames HTTP/1.1\r\nHost: benchmark\r\n"
            f"Content-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n"
            f"X-Frame-Epoch: {epoch}\r\nX-Frame-Seq: {NUMBER}\r\n\r\n"
            for picture in pictures
        ]
        for number in range(connections)
    ]
    return Job(heads, pictures)


def streams(pictures: Sequence[bytes], connections: int) -> Job:
    """Return POST /cameras/{camera}/stream, a chunk of one endless request for each picture."""
    epoch = secrets.token_hex(8)
    preambles = [
        f"POST /cameras/stream{number}/stream HTTP/1.1\r\nHost: benchmark\r\n"
        "Content-Type: multipart/x-mixed-replace; boundary=frame\r\n"
        "Accept: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
        for number in range(connections)
    ]
    heads = []
    for picture in pictures:
        head = (
            f"--frame\r\nContent-Length: {len(picture)}\r\nContent-Type: image/jpeg\r\n"
            f"X-Frame-Epoch: {epoch}\r\nX-Frame-Seq: {NUMBER}\r\n\r\n"
        )
        heads.append(f"{len(head) + len(picture) + 2:x}\r\n{head}")
    return Job([heads] * connections, pictures, "lines", preambles, b"\r\n\r\n")


def forms(pictures: Sequence[bytes], connections: int) -> Job:
    """Return multipart/form-data with the field `image`, as LitServe's users post files."""
    tail = f"\r\n--{_FORM}--\r\n".encode()
    part = (
        f'--{_FORM}\r\nContent-Disposition: form-data; name="image"; filename="image.jpg"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    )
    heads = [
        "POST /predict HTTP/1.1\r\nHost: benchmark\r\n"
        f"Content-Type: multipart/form-data; boundary={_FORM}\r\n"
        f"Content-Length: {len(part) + len(picture) + len(tail)}\r\n\r\n{part}"
        for picture in pictures
    ]
    return Job([heads] * connections, pictures, tail=tail)
