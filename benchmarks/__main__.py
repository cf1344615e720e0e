"""`python -m benchmarks NAME`: measure, print a table, and write benchmarks/results/NAME.json."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Protocol

from benchmarks import (
    answer,
    cameras,
    carriers,
    every,
    far,
    hooks,
    ingest,
    latency,
    passthrough,
    quick,
    raw,
    recording,
    scale,
    table,
    throughput,
    transports,
    udp,
    viewers,
    wall,
)


class Benchmark(Protocol):
    """A module of this folder; its docstring is its help."""

    __doc__: str | None

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...
    def run(self, arguments: argparse.Namespace) -> int: ...


BENCHMARKS: dict[str, Benchmark] = {
    "answer": answer,
    "cameras": cameras,
    "carriers": carriers,
    "every": every,
    "far": far,
    "hooks": hooks,
    "ingest": ingest,
    "latency": latency,
    "passthrough": passthrough,
    "quick": quick,
    "raw": raw,
    "recording": recording,
    "scale": scale,
    "table": table,
    "throughput": throughput,
    "transports": transports,
    "udp": udp,
    "viewers": viewers,
    "wall": wall,
}


def main(argv: Sequence[str]) -> int:
    """Run one benchmark; return 0, or 1 when what it measured was not what it meant to."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    commands = parser.add_subparsers(dest="name", required=True, metavar="NAME")
    for name, module in BENCHMARKS.items():
        assert module.__doc__ is not None
        first = module.__doc__.splitlines()[0]
        module.add_arguments(commands.add_parser(name, help=first, description=module.__doc__))
    arguments = parser.parse_args(argv)
    return BENCHMARKS[arguments.name].run(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
