"""What carries pictures to an algorithm: TCP, ZeroMQ, UDP, HTTP, Redis; and what loss does.

As `transports`, with two questions more, about a camera that waits for nobody: whoever may send the
next picture sends the newest, so that a picture's age tells of those that had to wait, too. How is
that over a wire of 1,500-byte packets of which some get lost, each way (Linux, as root; the round
trip is as short as on one machine, which is kind to who asks again for what was lost)? And how to
an algorithm that takes three times as long for a picture as the next one takes to come?
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.measuring import chart, summary
from benchmarks.measuring.contest import contest, figures
from benchmarks.measuring.pairs import CLASSIC, IMAGEZMQ, PUBLISHED, REDIS, TCP
from benchmarks.measuring.sink import WORK
from benchmarks.measuring.ways import Way, by_http, by_listening, by_redis, cpu_of, present, theirs
from benchmarks.measuring.wire import Wire

#: How much longer than a picture lasts the slow algorithm takes.
_TIMES = 3

WAYS = (
    Way(TCP.name, partial(theirs, TCP, ()), TCP),
    Way(CLASSIC.name, partial(theirs, CLASSIC, ()), CLASSIC),
    Way("imageZMQ, REQ/REP", partial(theirs, IMAGEZMQ, ()), IMAGEZMQ),
    Way(PUBLISHED.name, partial(theirs, PUBLISHED, ("--pubsub",)), PUBLISHED),
    Way("Framepost, posts", partial(by_http, "post")),
    Way("Framepost, stream", partial(by_http, "stream")),
    Way("Framepost, Redis", partial(by_redis, "raw"), REDIS),
    Way("Framepost, zmq", partial(by_listening, "zmq", "zmq", ""), IMAGEZMQ),
    Way("Framepost, zmq+pub", partial(by_listening, "zmq+pub", "zmq+sub", ""), IMAGEZMQ),
    Way("Framepost, udp", partial(by_listening, "udp", "udp", "")),
    Way("Framepost, udp, parity 8", partial(by_listening, "udp", "udp", "?parity=8")),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=3, help="turns of each, in each trial")
    parser.add_argument("--seconds", type=float, default=5, help="of one turn")
    parser.add_argument("--fps", type=float, default=25, help="the steady rate")
    parser.add_argument("--size", default="1280x720", metavar="WIDTHxHEIGHT")
    parser.add_argument("--clip", help="a video whose pictures are sent; default: test pattern")
    parser.add_argument(
        "--loss",
        nargs="+",
        type=float,
        default=[0, 1, 5],
        metavar="PERCENT",
        help="of the packets that get lost",
    )


def run(arguments: argparse.Namespace) -> int:
    ways = present(WAYS)
    measure = partial(_measure, ways, arguments)
    trials = {"fast": measure("fast", [])}
    steady = [f"--fps={arguments.fps:g}", "--live"]
    work = {WORK: str(_TIMES / arguments.fps)}
    trials["slow"] = measure("slow receiver", steady, work)
    try:
        # Last: there is no way back from it.
        wire = Wire()
    except OSError as exc:
        print(f"without loss: {exc}")
    else:
        for percent in arguments.loss:
            wire.lose(percent / 100)
            trials[f"loss {percent:g}"] = measure(f"{percent:g} % loss", steady)
    rows = {way.name: {trial: trials[trial][way.name] for trial in trials} for way in ways}
    _print(arguments, rows)
    content: dict[str, Any] = {"benchmark": "carriers", "environment": summary.environment()}
    content |= {"fps": arguments.fps, "size": arguments.size, "rows": rows}
    content |= {"clip": arguments.clip and Path(arguments.clip).name}
    _draw(arguments, rows)
    print(f"written to {summary.write('carriers', content)}")
    return 0


def _measure(
    ways: Sequence[Way],
    arguments: argparse.Namespace,
    title: str,
    more: Sequence[str],
    environment: Mapping[str, str] | None = None,
) -> dict[str, dict[str, Any]]:
    sending = [f"--size={arguments.size}", *more]
    sending += [f"--clip={arguments.clip}"] if arguments.clip else []
    chains = [way.chain(sending, environment) for way in ways]
    turns = contest(chains, rounds=arguments.rounds, seconds=arguments.seconds, title=title)
    return {name: figures(each) for name, each in turns.items()}


def _print(arguments: argparse.Namespace, rows: Mapping[str, Mapping[str, Any]]) -> None:
    trials = list(next(iter(rows.values())))
    print(f"\n{arguments.size}: as fast as it goes, and its CPU in µs a frame, all processes;")
    print(f"then at {arguments.fps:g} frames/s: how many arrive in a second, p50 and p99 in ms")
    print(f"{'':30}{'fast':>8}{'CPU':>8}" + "".join(f"{trial:>22}" for trial in trials[1:]))
    for name, row in rows.items():
        fast = row["fast"]
        cells = "".join(
            f"{row[trial]['fps']:8.1f}{row[trial]['p50_ms']:7.1f}{row[trial]['p99_ms']:7.1f}"
            for trial in trials[1:]
        )
        print(f"{name:30}{fast['fps']:8.1f}{cpu_of(fast):8,}{cells}")


def _draw(arguments: argparse.Namespace, rows: Mapping[str, Mapping[str, Any]]) -> None:
    chart.bars(
        "carriers",
        {name: row["fast"]["fps"] for name, row in rows.items()},
        title=f"Program to algorithm through JPEG, {arguments.size}",
        unit="frames/s",
    )
