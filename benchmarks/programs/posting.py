"""Posting: pictures posted to a receiver at a steady rate, as a program with a camera would.

`python -m benchmarks.programs.posting URL --camera cam1 --fps 25 --size 1280x720 --clip clip.mp4`
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from framepost_client import Client

from benchmarks.measuring import steady
from shared import codec


def main(argv: Sequence[str]) -> None:
    """Post until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--camera", default="cam1")
    steady.add_arguments(parser)
    arguments = parser.parse_args(argv)
    with Client(arguments.url, arguments.camera) as client:
        for number, image in enumerate(steady.pictures(arguments)):
            client.send(codec.encode(image, arguments.quality))
            if number == 0:
                sys.stderr.write("the first picture is there\n")


if __name__ == "__main__":
    main(sys.argv[1:])
