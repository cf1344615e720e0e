from __future__ import annotations

import socket

import pytest

from benchmarks.programs.wall_reader import Connection
from receiver.view.records import CONTENT_TYPE as RECORDS
from receiver.view.records import picture, record
from shared.view.mjpeg import CONTENT_TYPE as MULTIPART
from shared.view.mjpeg import Multipart
from shared.view.renditions import Rendition
from tests.conftest import MakeFrame


def reply(content_type: str, pieces: list[bytes]) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\n\r\n".encode()
    return head + b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)


@pytest.mark.parametrize("step", [1, 7, 1 << 20])
@pytest.mark.parametrize("kind", ["records", "parts"])
def test_the_time_of_each_picture_is_read_wherever_the_bytes_are_cut(
    kind: str, step: int, make_frame: MakeFrame
) -> None:
    frames = [make_frame(seq, captured_at=1000.0 + seq) for seq in range(3)]
    renditions = [Rendition(frame, frame.data, frame.width, frame.height) for frame in frames]
    if kind == "records":
        pieces = [picture(r, view="raw", frame=r.frame, state="live") for r in renditions]
        data = reply(RECORDS, [record("status", {"cameras": []}), *pieces])
    else:
        multipart = Multipart()
        data = reply(MULTIPART, [multipart.part(rendition) for rendition in renditions])

    with socket.socket() as sock:
        connection = Connection(sock)
        cuts = range(0, len(data), step)
        times = [at for cut in cuts for at in connection.feed(data[cut : cut + step])]

    assert times == [1000.0, 1001.0, 1002.0]
