"""Stand between a sender and a receiver, and do to the line what you type.

While it runs it obeys the lines black-hole, refuse, reset and clear.
"""

from __future__ import annotations

import argparse
import re
import signal
import sys
from collections.abc import Callable, Sequence

from tests.chaos.proxy import ChaosProxy
from tests.chaos.reply_cut import ReplyCut
from tests.chaos.toxics import Bandwidth, Break, HangUp, Latency, Slicer, Stall, Toxic

_UNITS = {"": 1, "k": 1e3, "m": 1e6, "g": 1e9}


def read_rate(text: str) -> float:
    """Return bytes a second of "2mbit" and the like."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([kmg]?)bit", text.lower())
    if found is None or float(found[1]) == 0:
        raise argparse.ArgumentTypeError(f"expected bits a second, as in 2mbit, got {text!r}")
    return float(found[1]) * _UNITS[found[2]] / 8


def read_address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdecimal() or int(port) > 65535:
        raise argparse.ArgumentTypeError(f"expected HOST:PORT, as in 127.0.0.1:8000, got {text!r}")
    return host.strip("[]"), int(port)


def read_share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"expected a share from 0 to 1, got {text!r}")
    return share


def number(unit: str, *, least: float = 0) -> Callable[[str], float]:
    """Return what reads a number of `unit`."""

    def read(text: str) -> float:
        if not re.fullmatch(r"\d+(\.\d+)?", text) or float(text) < least:
            raise argparse.ArgumentTypeError(f"expected {unit}, got {text!r}")
        return float(text)

    return read


def parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    ms = number("milliseconds of 0 or more")
    count = number("a number of bytes of 0 or more")
    add("--listen", type=read_address, default=("127.0.0.1", 0), help="HOST:PORT; 0: any free one")
    add("--to", type=read_address, required=True, help="HOST:PORT of the server")
    add("--latency", type=ms, default=0, help="milliseconds, each way")
    add("--jitter", type=ms, default=0, help="milliseconds more or less, at random")
    add("--rate", type=read_rate, help="bits a second, each way, as in 2mbit")
    add("--slice", type=number("bytes of 1 or more", least=1), help="bytes in each piece")
    add("--drip", type=ms, help="replies come byte by byte, so many milliseconds apart")
    add("--reset-request", type=count, help="reset each connection at this byte of what is sent")
    add("--reset-reply", type=count, help="... at this byte of what comes back")
    add("--stall", type=count, help="forward this many bytes of each connection, then nothing")
    add("--hang-up", action="store_true", help="close each connection instead of answering")
    add("--cut", type=read_share, help="share of the requests that are done and not answered")
    add("--seed", type=int, default=1, help="of everything random")
    return parser.parse_args(argv)


def toxics(wanted: argparse.Namespace) -> tuple[list[Toxic], list[Toxic]]:
    """Return what is to happen on the way there and on the way back."""
    up: list[Toxic] = []
    down: list[Toxic] = []
    for way in (up, down):
        if wanted.latency or wanted.jitter:
            way.append(Latency(wanted.latency / 1000, wanted.jitter / 1000))
        if wanted.rate is not None:
            way.append(Bandwidth(wanted.rate))
        if wanted.slice is not None:
            way.append(Slicer(int(wanted.slice)))
    if wanted.drip is not None:
        down.append(Slicer(1, wanted.drip / 1000))
    if wanted.reset_request is not None:
        up.append(Break(int(wanted.reset_request)))
    if wanted.reset_reply is not None:
        down.append(Break(int(wanted.reset_reply)))
    if wanted.stall is not None:
        up.append(Stall(int(wanted.stall)))
    if wanted.hang_up:
        up.append(Break(0, how=HangUp))
    return up, down


def main(argv: Sequence[str]) -> int:
    wanted = parse(argv)
    up, down = toxics(wanted)
    cut = None if wanted.cut is None else ReplyCut(wanted.cut, seed=wanted.seed)
    proxy = ChaosProxy(wanted.to, listen=wanted.listen, up=up, down=down, cut=cut, seed=wanted.seed)
    orders = {
        "black-hole": proxy.black_hole,
        "refuse": proxy.refuse,
        "reset": proxy.reset,
        "clear": proxy.clear,
    }
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with proxy:
            print(
                f"{proxy.url} leads to {wanted.to[0]}:{wanted.to[1]}; seed {wanted.seed}",
                flush=True,
            )
            for line in sys.stdin:
                order = orders.get(line.strip())
                if order is not None:
                    order()
                elif line.strip():
                    print(f"expected {', '.join(orders)}, got {line.strip()!r}")
                sys.stdout.flush()
            signal.pause()
    except KeyboardInterrupt:
        pass
    except OSError as exc:
        print(f"--listen: {wanted.listen[0]}:{wanted.listen[1]}: {exc.strerror}", file=sys.stderr)
        return 1
    if cut is not None:
        print(f"{sum(exchange.cut for exchange in cut.log)} of {len(cut.log)} replies were cut")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
