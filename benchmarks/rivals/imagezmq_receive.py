"""imageZMQ's receiver: recv_jpg, decoding by simplejpeg, and then the reply, as in its examples.

With `--early` the reply goes first, so that the sender encodes the next picture meanwhile. With
`--pubsub` it subscribes, and there is no reply.
"""

from __future__ import annotations

import sys

import imagezmq

from benchmarks.measuring.sink import Sink
from benchmarks.rivals.options import parse
from shared import codec


def main() -> None:
    arguments = parse(__doc__, sends=False, flags=["--early", "--pubsub"])
    sink = Sink()
    address = f"tcp://127.0.0.1:{arguments.port}"
    hub = imagezmq.ImageHub(open_port=address, REQ_REP=not arguments.pubsub)
    print("ready", file=sys.stderr, flush=True)
    while True:
        _, jpeg = hub.recv_jpg()
        if arguments.early:
            hub.send_reply(b"OK")
        sink.take(codec.decode(bytes(jpeg)))
        if not (arguments.early or arguments.pubsub):
            hub.send_reply(b"OK")


if __name__ == "__main__":
    main()
