"""imageZMQ's receiver: recv_jpg, decoding by simplejpeg, and then the reply, as in its examples.

With `--early` the reply goes first, so that the sender encodes the next picture meanwhile.
"""

from __future__ import annotations

import argparse
import sys

import imagezmq

from benchmarks.measuring.sink import Sink
from shared import codec


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--early", action="store_true", help="reply before the work")
    arguments = parser.parse_args()
    sink = Sink()
    hub = imagezmq.ImageHub(open_port=f"tcp://127.0.0.1:{arguments.port}")
    print("ready", file=sys.stderr, flush=True)
    while True:
        _, jpeg = hub.recv_jpg()
        if arguments.early:
            hub.send_reply(b"OK")
        sink.take(codec.decode(bytes(jpeg)))
        if not arguments.early:
            hub.send_reply(b"OK")


if __name__ == "__main__":
    main()
