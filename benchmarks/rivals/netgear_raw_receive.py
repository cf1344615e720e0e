"""NetGear's receiver without compression; it receives in a thread of its own."""

from __future__ import annotations

import sys

from vidgear.gears import NetGear

from benchmarks.measuring.sink import Sink
from benchmarks.rivals.options import parse


def main() -> None:
    arguments = parse(__doc__, sends=False)
    sink = Sink()
    client = NetGear(
        address="127.0.0.1",
        port=str(arguments.port),
        protocol="tcp",
        receive_mode=True,
        jpeg_compression=False,
    )
    print("ready", file=sys.stderr, flush=True)
    while (image := client.recv()) is not None:
        sink.take(image)


if __name__ == "__main__":
    main()
