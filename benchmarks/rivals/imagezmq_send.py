"""imageZMQ's sender: send_jpg with REQ/REP, its default; encoded by simplejpeg."""

from __future__ import annotations

import imagezmq

from benchmarks.rivals.options import QUALITY, parse, pictures
from shared import codec


def main() -> None:
    arguments = parse(__doc__, sends=True)
    sender = imagezmq.ImageSender(connect_to=f"tcp://127.0.0.1:{arguments.port}")
    for image in pictures(arguments):
        sender.send_jpg("camera", codec.encode(image, QUALITY))


if __name__ == "__main__":
    main()
