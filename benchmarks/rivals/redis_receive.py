"""Redis as the carrier, its receiver: a subscription, then GET of the newest JPEG.

With `--base64` it comes as text.
"""

from __future__ import annotations

import base64
import sys

import redis

from benchmarks.measuring.sink import Sink
from benchmarks.rivals.options import parse
from shared import codec


def main() -> None:
    arguments = parse(__doc__, sends=False, flags=["--base64"])
    sink = Sink()
    connection = redis.Redis(port=arguments.port)
    subscription = connection.pubsub(ignore_subscribe_messages=True)
    subscription.subscribe("frames")
    print("ready", file=sys.stderr, flush=True)
    for message in subscription.listen():
        jpeg = connection.get(message["data"])
        assert isinstance(jpeg, bytes)
        sink.take(codec.decode(base64.b64decode(jpeg) if arguments.base64 else jpeg))


if __name__ == "__main__":
    main()
