"""imageZMQ's sender of pixels: send_image with REQ/REP, its default."""

from __future__ import annotations

import imagezmq

from benchmarks.measuring import feed, spots
from benchmarks.rivals.options import parse


def main() -> None:
    arguments = parse(__doc__, sends=True)
    width, height = (int(side) for side in arguments.size.split("x"))
    sender = imagezmq.ImageSender(connect_to=f"tcp://127.0.0.1:{arguments.port}")
    for image in spots.endless(feed.load(arguments.clip, width, height)):
        sender.send_image("camera", image)


if __name__ == "__main__":
    main()
