"""A receiver that is far away, or behind a thin line: what frames in flight are good for.

The test pattern at 25 frames a second, over a line with a delay or a limited bandwidth, to a hook
that reads number and time from the pixels; `--in-flight` 1, 2 and 4 by turns.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

from benchmarks.measuring import chart, summary
from benchmarks.measuring.contest import Chain, contest, figures
from benchmarks.measuring.link import Link
from benchmarks.measuring.program import Program, Receiver

_FPS = 25


@dataclass(frozen=True, slots=True)
class Line:
    """Seconds from end to end, and bytes a second; 0 for all."""

    name: str
    delay: float
    rate: float


LINES = (
    Line("this machine", 0.0, 0.0),
    Line("round trip 60 ms", 0.030, 0.0),
    Line("round trip 150 ms", 0.075, 0.0),
    Line("4 Mbit/s, round trip 20 ms", 0.010, 500_000.0),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=2, help="turns of each")
    parser.add_argument("--seconds", type=float, default=6.0, help="of one turn")


def run(arguments: argparse.Namespace) -> int:
    content: dict[str, Any] = {"benchmark": "far", "environment": summary.environment()}
    content["lines"] = {}
    for line in LINES:
        chains = [
            Chain(f"in flight {count}", partial(_programs, line=line, in_flight=count))
            for count in (1, 2, 4)
        ]
        turns = contest(chains, rounds=arguments.rounds, seconds=arguments.seconds, title=line.name)
        rows = {name: figures(of_one) for name, of_one in turns.items()}
        content["lines"][line.name] = rows
        print(f"\n{line.name}, {_FPS} frames a second captured")
        print(f"{'':16}{'fps':>8}{'p50 ms':>9}{'p99 ms':>9}")
        for name, row in rows.items():
            print(f"{name:16}{row['fps']:8.1f}{row['p50_ms']:9.1f}{row['p99_ms']:9.1f}")
    chart.bars(
        "far",
        {
            f"{line}, {name}": row["fps"]
            for line, rows in content["lines"].items()
            for name, row in rows.items()
        },
        title="Frames a second at the hook of a far receiver",
        unit="frames/s",
        limit=_FPS,
        limit_name="captured",
    )
    print(f"\nwritten to {summary.write('far', content)}")
    return 0


def _programs(
    stack: ExitStack, environment: Mapping[str, str], *, line: Line, in_flight: int
) -> Sequence[Program]:
    receiver = stack.enter_context(
        Receiver(
            *("--hook", "benchmarks.programs.reading_hook:Noting", "--no-auto-control"),
            environment=environment,
        )
    )
    port = int(receiver.url.rpartition(":")[2])
    link = stack.enter_context(Link(port, delay=line.delay, rate=line.rate))
    sender = Program(
        "sender",
        [
            *("sender", "--source", "testsrc", "--fps", str(_FPS)),
            *("--to", f"http://127.0.0.1:{link.port}", "--in-flight", str(in_flight)),
        ],
    )
    return [receiver, stack.enter_context(sender)]
