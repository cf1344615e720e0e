"""NetGear's sender: its own JPEG compression (simplejpeg, 4:2:2, fast DCT), pattern PAIR, its
default.
"""

from __future__ import annotations

from vidgear.gears import NetGear

from benchmarks.rivals.options import QUALITY, parse, pictures


def main() -> None:
    arguments = parse(__doc__, sends=True)
    options = {"jpeg_compression": True, "jpeg_compression_quality": QUALITY}
    server = NetGear(address="127.0.0.1", port=str(arguments.port), protocol="tcp", **options)
    for image in pictures(arguments):
        server.send(image)


if __name__ == "__main__":
    main()
