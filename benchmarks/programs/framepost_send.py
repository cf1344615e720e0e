"""A user's own program with the Python client: it encodes each picture and sends it.

`--by post` is a POST for each; `--by stream` all in requests that never end. Every picture is to
be processed, so the hook's pace is the program's.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

from framepost_client import Client
from framepost_stream import Stream

from benchmarks.rivals.options import QUALITY, add_pictures, pictures
from shared import codec

#: Codecs take now more, now less: so many frames in between let neither of two wait for the other.
_IN_FLIGHT = 6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True, help="the receiver")
    parser.add_argument("--by", choices=["post", "stream"], required=True)
    add_pictures(parser)
    arguments = parser.parse_args()
    client = Client(arguments.url, "camera")
    send: Callable[[bytes], object] = client.send
    if arguments.by == "stream":
        send = Stream(client, wait=1.0, every=True, in_flight=_IN_FLIGHT).send
    for image in pictures(arguments):
        send(codec.encode(image, QUALITY))


if __name__ == "__main__":
    main()
