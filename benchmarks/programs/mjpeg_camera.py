"""A camera that shows its JPEGs over HTTP, as network cameras do: `GET /` is an endless MJPEG.

`python -m benchmarks.programs.mjpeg_camera --size 1920x1080 --fps 25`. The JPEGs are made
before, each with its number drawn in it. Each that is sent is given a comment of its own (COM,
ITU-T T.81, B.2.4.5), so no two are the same bytes; their SHA-256 go to the file that BENCHMARK_SENT
names, if it does.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import socket
import struct
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import cycle, islice
from typing import BinaryIO

from benchmarks.measuring import feed, steady
from camera.pace import Pace
from shared import codec

#: The variable that names the file.
VARIABLE = "BENCHMARK_SENT"
#: No number recurs within so many pictures.
PICTURES = 250
_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n"
    b"Connection: close\r\n\r\n"
)
_SOI_SIZE = 2


def make(arguments: argparse.Namespace) -> list[bytes]:
    """Return the JPEGs."""
    width, height = (int(side) for side in arguments.size.split("x"))
    images = feed.endless(feed.load(arguments.clip, width, height))
    return [codec.encode(image, arguments.quality) for image in islice(images, PICTURES)]


def comment(jpeg: bytes, number: int) -> bytes:
    """Return the JPEG with `number` in a comment segment behind its first marker."""
    segment = struct.pack(">BBHQ", 0xFF, 0xFE, 10, number)
    return jpeg[:_SOI_SIZE] + segment + jpeg[_SOI_SIZE:]


def shots(jpegs: Sequence[bytes], fps: float) -> Iterator[bytes]:
    """Yield a JPEG whenever one is due, for ever."""
    pace = Pace(fps)
    for number, jpeg in enumerate(cycle(jpegs)):
        shot = comment(jpeg, number)
        time.sleep(max(0.0, pace.next() - time.monotonic()))
        yield shot


def show(end: socket.socket, jpegs: Sequence[bytes], fps: float, sent: BinaryIO | None) -> None:
    """Answer one client until it goes."""
    end.recv(1 << 16)
    end.sendall(_HEAD)
    for shot in shots(jpegs, fps):
        if sent is not None:
            sent.write(hashlib.sha256(shot).digest())
            sent.flush()
        head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(shot)}\r\n\r\n"
        end.sendall(b"".join([head.encode(), shot, b"\r\n"]))


def main(argv: Sequence[str]) -> None:
    """Show them to one client after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    steady.add_arguments(parser)
    arguments = parser.parse_args(argv)
    jpegs = make(arguments)
    path = os.environ.get(VARIABLE)
    sent = open(path, "ab") if path else None  # noqa: SIM115  # until the process is killed
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sys.stderr.write(f"see http://127.0.0.1:{listener.getsockname()[1]}/\n")
        sys.stderr.flush()
        while True:
            end, _ = listener.accept()
            with end, suppress(OSError):
                show(end, jpegs, arguments.fps, sent)


if __name__ == "__main__":
    main(sys.argv[1:])
