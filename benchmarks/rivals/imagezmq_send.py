"""imageZMQ's sender: send_jpg with REQ/REP, its default; encoded by simplejpeg.

With `--pubsub` it publishes, and nobody replies.
"""

from __future__ import annotations

import imagezmq

from benchmarks.rivals.options import QUALITY, parse, pictures
from shared import codec


def main() -> None:
    arguments = parse(__doc__, sends=True, flags=["--pubsub"])
    address = f"tcp://127.0.0.1:{arguments.port}"
    sender = imagezmq.ImageSender(connect_to=address, REQ_REP=not arguments.pubsub)
    for image in pictures(arguments):
        sender.send_jpg("camera", codec.encode(image, QUALITY))


if __name__ == "__main__":
    main()
