"""imageZMQ's receiver of pixels: recv_image, and the reply at once."""

from __future__ import annotations

import sys

import imagezmq

from benchmarks.measuring.sink import Sink
from benchmarks.rivals.options import parse


def main() -> None:
    arguments = parse(__doc__, sends=False)
    sink = Sink()
    hub = imagezmq.ImageHub(open_port=f"tcp://127.0.0.1:{arguments.port}")
    print("ready", file=sys.stderr, flush=True)
    while True:
        _, image = hub.recv_image()
        # Before the work, so that the sender goes on meanwhile.
        hub.send_reply(b"OK")
        sink.take(image)


if __name__ == "__main__":
    main()
