"""Options: what a program that sends or receives pictures is told by the benchmark."""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Iterator, Sequence

from benchmarks.measuring import feed
from camera.pace import Pace
from shared.codec import Image
from shared.latest import Latest

#: JPEG quality of all contestants.
QUALITY = 80


def parse(program: str | None, *, sends: bool, flags: Sequence[str] = ()) -> argparse.Namespace:
    """Return the arguments; `program` is a program's docstring, `sends` whether it needs pictures.

    `port` is one of 127.0.0.1; `flags` are the program's own.
    """
    parser = argparse.ArgumentParser(description=program)
    parser.add_argument("--port", type=int, required=True, help="where the receiver listens")
    for flag in flags:
        parser.add_argument(flag, action="store_true")
    if sends:
        add_pictures(parser)
    return parser.parse_args()


def add_pictures(parser: argparse.ArgumentParser) -> None:
    """Add what `pictures` looks at."""
    parser.add_argument("--source", help="a camera's URL, read by OpenCV; default: pictures")
    parser.add_argument("--clip", help="a video to take the pictures from")
    parser.add_argument("--size", default="1280x720", help="WIDTHxHEIGHT of the pictures")
    parser.add_argument("--fps", type=float, help="pictures a second; default: as fast as it goes")
    parser.add_argument(
        "--live",
        action="store_true",
        help="they come whether or not there is somebody to send them",
    )


def pictures(arguments: argparse.Namespace) -> Iterator[Image]:
    """Yield what the camera gives; without one, pictures as fast as they are asked for, or `fps` a
    second, or of those that come `fps` times a second the newest.
    """
    if arguments.source:
        return feed.camera(arguments.source)
    images = feed.endless(load(arguments))
    if arguments.fps is None:
        return images
    if arguments.live:
        return _newest(images, arguments.fps)
    return _in_time(images, arguments.fps)


def load(arguments: argparse.Namespace) -> list[Image]:
    """Return the pictures that come again and again."""
    width, height = (int(side) for side in arguments.size.split("x"))
    return feed.load(arguments.clip, width, height)


def _in_time(images: Iterator[Image], fps: float) -> Iterator[Image]:
    """Ask for each picture when it is due: the time is drawn in it then."""
    pace = Pace(fps)
    while True:
        time.sleep(max(0.0, pace.next() - time.monotonic()))
        yield next(images)


def _newest(images: Iterator[Image], fps: float) -> Iterator[Image]:
    """Yield the newest picture there is, as a camera's thread with a queue of one gives it."""
    latest: Latest[Image] = Latest()
    newest = latest.reader()
    stop = threading.Event()

    def capture() -> None:
        for image in _in_time(images, fps):
            if stop.is_set():
                return
            latest.put(image.copy())

    camera = threading.Thread(target=capture, name="camera", daemon=True)
    camera.start()
    try:
        while True:
            image = newest.get()
            assert image is not None
            yield image
    finally:
        stop.set()
        camera.join()
