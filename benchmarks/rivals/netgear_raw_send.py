"""NetGear's sender without compression, pattern PAIR, its default."""

from __future__ import annotations

from vidgear.gears import NetGear

from benchmarks.measuring import feed, spots
from benchmarks.rivals.options import parse


def main() -> None:
    arguments = parse(__doc__, sends=True)
    width, height = (int(side) for side in arguments.size.split("x"))
    # As its documentation says: compression is on by default.
    options = {"jpeg_compression": False}
    server = NetGear(address="127.0.0.1", port=str(arguments.port), protocol="tcp", **options)
    for image in spots.endless(feed.load(arguments.clip, width, height)):
        server.send(image)


if __name__ == "__main__":
    main()
