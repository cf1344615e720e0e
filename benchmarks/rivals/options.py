"""Options: what a program that sends or receives pictures is told by the benchmark."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from benchmarks.measuring import feed
from shared.codec import Image

#: JPEG quality of all contestants.
QUALITY = 80


def parse(program: str | None, *, sends: bool) -> argparse.Namespace:
    """Return the arguments; `program` is a program's docstring, `sends` whether it needs pictures.

    `port` is one of 127.0.0.1.
    """
    parser = argparse.ArgumentParser(description=program)
    parser.add_argument("--port", type=int, required=True, help="where the receiver listens")
    if sends:
        add_pictures(parser)
    return parser.parse_args()


def add_pictures(parser: argparse.ArgumentParser) -> None:
    """Add what `pictures` looks at."""
    parser.add_argument("--source", help="a camera's URL, read by OpenCV; default: pictures")
    parser.add_argument("--clip", help="a video to take the pictures from")
    parser.add_argument("--size", default="1280x720", help="WIDTHxHEIGHT of the pictures")


def pictures(arguments: argparse.Namespace) -> Iterator[Image]:
    """Yield what the camera gives; without one, pictures as fast as they are asked for."""
    if arguments.source:
        return feed.camera(arguments.source)
    return feed.endless(load(arguments))


def load(arguments: argparse.Namespace) -> list[Image]:
    """Return the pictures that come again and again."""
    width, height = (int(side) for side in arguments.size.split("x"))
    return feed.load(arguments.clip, width, height)
