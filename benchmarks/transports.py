"""One way to a Python algorithm beside another: HTTP and Redis, the classic programs and ours.

Each draws number and time into a picture, encodes it (quality 80), sends it, decodes it in another
process and reads the number there. First as fast as it goes, where what counts is how many arrive;
then at a steady rate, where what counts is how old they are and what CPU all processes, Redis
among them, take for a frame. "classic" over HTTP is a base64 form on a new connection each time to
Flask's own server, over Redis a SET, a PUBLISH, a GET, and redis-py as it comes.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.measuring import chart, summary
from benchmarks.measuring.contest import contest, figures
from benchmarks.measuring.pairs import CLASSIC, REDIS, REDIS_TEXT
from benchmarks.measuring.ways import Way, by_http, by_redis, cpu_of, over_bus, present, theirs

#: Everybody, in the table's order.
WAYS = (
    Way(CLASSIC.name, partial(theirs, CLASSIC, ()), CLASSIC),
    Way("classic: Redis, raw", partial(theirs, REDIS, ()), REDIS),
    Way("classic: Redis, base64", partial(theirs, REDIS_TEXT, ("--base64",)), REDIS_TEXT),
    Way("Framepost, posts", partial(by_http, "post")),
    Way("Framepost, stream", partial(by_http, "stream")),
    Way("Framepost, Redis, raw", partial(by_redis, "raw"), REDIS),
    Way("Framepost, Redis, base64", partial(by_redis, "base64"), REDIS),
    Way("Framepost, posts and the bus", over_bus, REDIS),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=3, help="turns of each, fast and steady")
    parser.add_argument("--seconds", type=float, default=5, help="of one turn")
    parser.add_argument("--fps", type=float, default=25, help="the steady rate")
    parser.add_argument(
        "--sizes",
        nargs="+",
        default=["854x480", "1280x720", "1920x1080"],
        metavar="WIDTHxHEIGHT",
    )
    parser.add_argument("--clip", help="a video whose pictures are sent; default: test pattern")


def run(arguments: argparse.Namespace) -> int:
    ways = present(WAYS)
    content: dict[str, Any] = {"benchmark": "transports", "environment": summary.environment()}
    content |= {"fps": arguments.fps, "clip": arguments.clip and Path(arguments.clip).name}
    content |= {"sizes": {}}
    for size in arguments.sizes:
        sending = [f"--size={size}", *([f"--clip={arguments.clip}"] if arguments.clip else [])]
        fast = _measure(ways, arguments, sending, title=f"{size}, fast")
        sending.append(f"--fps={arguments.fps:g}")
        steady = _measure(ways, arguments, sending, title=f"{size}, steady")
        rows = {way.name: {"fast": fast[way.name], "steady": steady[way.name]} for way in ways}
        content["sizes"][size] = rows
        _print(size, arguments.fps, rows)
        _draw(size, arguments.fps, rows)
    print(f"written to {summary.write('transports', content)}")
    return 0


def _measure(
    ways: Sequence[Way], arguments: argparse.Namespace, sending: Sequence[str], *, title: str
) -> dict[str, dict[str, Any]]:
    chains = [way.chain(sending) for way in ways]
    turns = contest(chains, rounds=arguments.rounds, seconds=arguments.seconds, title=title)
    return {name: figures(each) for name, each in turns.items()}


def _draw(size: str, fps: float, rows: Mapping[str, Mapping[str, Any]]) -> None:
    chart.bars(
        f"transports-{size}",
        {name: cpu_of(row["steady"]) for name, row in rows.items()},
        title=f"CPU for a frame at {fps:g}/s, all processes, {size}",
        unit="µs",
    )


def _print(size: str, fps: float, rows: Mapping[str, Mapping[str, Any]]) -> None:
    print(f"\n{size}: as fast as it goes, then at {fps:g} frames/s; CPU in µs a frame")
    print(f"{'':30}{'frames/s':>9}{'p50 ms':>8}{'p99 ms':>8}{'arrived':>8}{'CPU':>7}  of which")
    for name, row in rows.items():
        steady = row["steady"]
        parts = ", ".join(f"{n} {spent:,}" for n, spent in steady["cpu_us_per_frame"].items())
        print(
            f"{name:30}{row['fast']['fps']:9.1f}{steady['p50_ms']:8.2f}{steady['p99_ms']:8.2f}"
            f"{steady['fps']:8.1f}{cpu_of(steady):7,}  {parts}"
        )
