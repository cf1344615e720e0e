"""One way to a Python algorithm beside another: HTTP and Redis, the classic programs and ours.

Each draws number and time into a picture, encodes it (quality 80), sends it, decodes it in another
process and reads the number there. First as fast as it goes, where what counts is how many arrive;
then at a steady rate, where what counts is how old they are and what CPU all processes, Redis
among them, take for a frame. "classic" over HTTP is a base64 form on a new connection each time to
Flask's own server, over Redis a SET, a PUBLISH, a GET, and redis-py as it comes.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.measuring import chart, pairs, port, summary
from benchmarks.measuring.contest import Chain, contest, figures
from benchmarks.measuring.pairs import Pair
from benchmarks.measuring.program import Program, Receiver

Start = Callable[[ExitStack, Mapping[str, str], Sequence[str]], Sequence[Program]]

_HOOK = ("--hook", "benchmarks.programs.reading_hook:Noting")
_CARRYING = "benchmarks.programs.carrying"
_CLASSIC = next(pair for pair in pairs.RIVALS if pair.module == "classic")
_REDIS = next(pair for pair in pairs.RIVALS if pair.module == "redis")


@dataclass(frozen=True, slots=True)
class Way:
    """A contestant: `start(stack, environment, sending)` starts its programs, see `Chain`.

    `sending` tells the sender which pictures. `pair`, where there is one, says what it needs.
    """

    name: str
    start: Start
    pair: Pair | None = None


def _theirs(
    pair: Pair,
    more: Sequence[str],
    stack: ExitStack,
    environment: Mapping[str, str],
    sending: Sequence[str],
) -> list[Program]:
    return pair.start(stack, environment, sending=[*sending, *more])


def _by_http(
    transport: str, stack: ExitStack, environment: Mapping[str, str], sending: Sequence[str]
) -> list[Program]:
    receiver = stack.enter_context(Receiver(*_HOOK, environment=environment))
    line = [_CARRYING, f"--to={receiver.url}", f"--transport={transport}", *sending]
    return [receiver, stack.enter_context(Program("sender", line))]


def _by_redis(
    encoding: str, stack: ExitStack, environment: Mapping[str, str], sending: Sequence[str]
) -> list[Program]:
    number = port.free()
    to = f"redis://127.0.0.1:{number}/0"
    line = [_CARRYING, f"--to={to}", f"--encoding={encoding}", *sending]
    wanted = [
        Program("redis", ["benchmarks.rivals.redis_server", f"--port={number}"], ready=["Ready"]),
        Receiver("--listen", to, *_HOOK, environment=environment),
        Program("sender", line),
    ]
    return [stack.enter_context(program) for program in wanted]


def _over_bus(
    stack: ExitStack, environment: Mapping[str, str], sending: Sequence[str]
) -> list[Program]:
    number = port.free()
    redis = Program(
        "redis", ["benchmarks.rivals.redis_server", f"--port={number}"], ready=["Ready"]
    )
    bus = f"--bus=redis://127.0.0.1:{number}/0"
    worker = Program(
        "worker",
        ["receiver.worker", "--port=0", bus, *_HOOK],
        ready=["is ready"],
        environment=environment,
    )
    started = [stack.enter_context(each) for each in (redis, Receiver(bus, hooks=0), worker)]
    assert isinstance(started[1], Receiver)
    line = [_CARRYING, f"--to={started[1].url}", "--transport=post", *sending]
    return [*started, stack.enter_context(Program("sender", line))]


#: Everybody, in the table's order.
WAYS = (
    Way("classic: base64 form, Flask", partial(_theirs, _CLASSIC, ()), _CLASSIC),
    Way("classic: Redis, raw", partial(_theirs, _REDIS, ()), _REDIS),
    Way(
        "classic: Redis, base64",
        partial(
            _theirs,
            Pair(_REDIS.name, "redis", ("redis",), receiving=("--base64",), has_broker=True),
            ("--base64",),
        ),
        _REDIS,
    ),
    Way("Framepost, posts", partial(_by_http, "post")),
    Way("Framepost, stream", partial(_by_http, "stream")),
    Way("Framepost, Redis, raw", partial(_by_redis, "raw"), _REDIS),
    Way("Framepost, Redis, base64", partial(_by_redis, "base64"), _REDIS),
    Way("Framepost, posts and the bus", _over_bus, _REDIS),
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


def present(ways: Sequence[Way]) -> list[Way]:
    """Return those that can run here, and print why the others cannot."""
    found, told = [], set()
    for way in ways:
        sentence = None if way.pair is None else way.pair.missing()
        if sentence is None:
            found.append(way)
        elif sentence not in told:
            told.add(sentence)
            print(sentence)
    return found


def cpu_of(row: Mapping[str, Any]) -> int:
    """Return the µs of CPU that all processes together took for a frame."""
    return sum(row["cpu_us_per_frame"].values())


def _measure(
    ways: Sequence[Way], arguments: argparse.Namespace, sending: Sequence[str], *, title: str
) -> dict[str, dict[str, Any]]:
    def start(way: Way, stack: ExitStack, environment: Mapping[str, str]) -> Sequence[Program]:
        return way.start(stack, environment, sending)

    chains = [Chain(way.name, partial(start, way)) for way in ways]
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
