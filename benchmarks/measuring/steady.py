"""Steady: a camera's pictures in memory, one each time it is due, for whoever serves or sends them.

Each has its number and the time at which it was due drawn in it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator

from benchmarks.measuring import feed
from camera.pace import Pace
from shared.codec import Image


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `pictures` looks at, and the JPEG quality."""
    parser.add_argument("--size", default="1280x720", metavar="WIDTHxHEIGHT")
    parser.add_argument("--fps", type=float, default=25)
    parser.add_argument("--clip", help="a video whose pictures are shown; default: a test pattern")
    parser.add_argument("--quality", type=int, default=80, help="JPEG quality")


def options(arguments: argparse.Namespace) -> list[str]:
    """Return the command line that says the same to another program."""
    clip = ["--clip", arguments.clip] if arguments.clip else []
    line = [f"--size={arguments.size}", f"--fps={arguments.fps:g}", *clip]
    return [*line, f"--quality={arguments.quality}"]


def pictures(arguments: argparse.Namespace) -> Iterator[Image]:
    """Yield a picture each time one is due; it is the caller's until the next is asked for."""
    width, height = (int(side) for side in arguments.size.split("x"))
    marked = feed.endless(feed.load(arguments.clip, width, height))
    pace = Pace(arguments.fps)
    while True:
        time.sleep(max(0.0, pace.next() - time.monotonic()))
        yield next(marked)
