"""What it costs to take a JPEG in: frames a second, CPU, memory and the time of a reply.

A compiled program posts JPEGs of about 200 kB over kept connections, the next one when the last was
answered; each connection is a camera of its own. Nobody decodes them. Against LitServe, which takes
the same bytes as multipart/form-data, and the limit: a plain loop of recv(). A B A B in one run,
every server running all the time.
"""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
from tqdm import tqdm

from benchmarks.measuring import chart, feed, jobs, port, rival, summary
from benchmarks.measuring.load import Answers, Job, Load
from benchmarks.measuring.program import Program, Receiver
from shared import codec

_SIZE = (1920, 1080)
_GRAIN = 32
_LIMIT = "limit: recv()"


@dataclass(frozen=True, slots=True)
class Way:
    """How pictures are posted to one server. `job` makes what `count` connections send."""

    name: str
    server: Program
    url: str
    job: Callable[[Sequence[bytes], int], Job]


@dataclass(frozen=True, slots=True)
class Turn:
    """What one way did in one turn. `cpu` is the server's, in seconds; memory is in bytes."""

    answers: Answers
    cpu: float
    middle: int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=5, help="turns of each way")
    parser.add_argument("--seconds", type=float, default=5, help="of one turn")
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 8, 64])
    parser.add_argument("--clip", help="a video whose pictures are posted; default: test pattern")
    parser.add_argument("--kilobytes", type=int, default=200, help="about so many per JPEG")


def run(arguments: argparse.Namespace) -> int:
    pictures = jpegs(arguments.clip, arguments.kilobytes * 1000)
    size = sum(map(len, pictures)) // len(pictures)
    content: dict[str, Any] = {"benchmark": "ingest", "environment": summary.environment()}
    content |= {"clip": bool(arguments.clip), "jpeg_bytes": size, "rows": [], "memory_mb": {}}
    with ExitStack() as stack:
        load = stack.enter_context(Load())
        ways = _ways(stack)
        start = {way.server.name: way.server.memory() for way in ways}
        turns = _measure(ways, load, pictures, arguments)
        content["rows"] = [_row(way, count, each) for (way, count), each in turns.items()]
        content["memory_mb"] = _memory(ways, start, turns)
    _print(content)
    _draw(content["rows"])
    print(f"written to {summary.write('ingest', content)}")
    return 0


def jpegs(clip: str | None, size: int) -> list[bytes]:
    """Return 1080p pictures, encoded so that they have about `size` bytes.

    The test pattern has too little in it for that, so it gets grain, as a sensor gives.
    """
    images = feed.load(clip, *_SIZE)
    if clip is None:
        dice = np.random.default_rng(0)
        images = [image | dice.integers(0, _GRAIN, image.shape, np.uint8) for image in images]
    least, most = 1, 100
    while least < most:
        quality = (least + most) // 2
        if len(codec.encode(images[0], quality)) < size:
            least = quality + 1
        else:
            most = quality
    return [codec.encode(image, least) for image in images]


def _ways(stack: ExitStack) -> list[Way]:
    """Start the servers and return how they are posted to; say who is missing."""
    receiver = stack.enter_context(Receiver(hooks=0))
    bare = stack.enter_context(
        Program("bare", ["benchmarks.programs.bare_server"], ready=[r"see (http://\S+)/$"])
    )
    ways = [
        Way("Framepost, POST /frames", receiver, receiver.url, jobs.posts),
        Way("Framepost, POST /stream", receiver, receiver.url, jobs.streams),
    ]
    sentence = rival.missing("litserve", "python_multipart")
    if sentence is None:
        number = port.free()
        litserve = Program(
            "litserve",
            ["benchmarks.rivals.litserve_taking", "--port", str(number)],
            ready=["Application startup complete"],
        )
        url = f"http://127.0.0.1:{number}"
        ways.append(Way("LitServe, multipart", stack.enter_context(litserve), url, jobs.forms))
    else:
        print(sentence)
    return [*ways, Way(_LIMIT, bare, bare.found[0], jobs.posts)]


def _measure(
    ways: Sequence[Way], load: Load, pictures: Sequence[bytes], arguments: argparse.Namespace
) -> dict[tuple[Way, int], list[Turn]]:
    for way in ways:
        load.run(way.url, way.job(pictures, 1), seconds=1)
    turns: dict[tuple[Way, int], list[Turn]] = {
        (way, count): [] for count in arguments.connections for way in ways
    }
    order = [each for _ in range(arguments.rounds) for each in turns]
    for way, count in tqdm(order, desc="ingest", unit="turn", disable=not sys.stderr.isatty()):
        job = way.job(pictures, count)
        turns[way, count].append(_turn(way, load, job, arguments.seconds))
    return turns


def _turn(way: Way, load: Load, job: Job, seconds: float) -> Turn:
    middle: list[int] = []
    look = threading.Timer(seconds / 2, lambda: middle.append(way.server.memory()))
    before = way.server.cpu()
    look.start()
    answers = load.run(way.url, job, seconds=seconds)
    look.join()
    return Turn(answers, way.server.cpu() - before, middle[0])


def _row(way: Way, connections: int, turns: Sequence[Turn]) -> dict[str, Any]:
    latencies = [each for turn in turns for each in turn.answers.latencies]
    return {
        "name": way.name,
        "connections": connections,
        "fps": round(median(turn.answers.per_second for turn in turns)),
        "cpu_us_per_frame": round(
            median(1e6 * turn.cpu / len(turn.answers.latencies) for turn in turns)
        ),
        "load_cpu_us_per_frame": round(
            median(1e6 * turn.answers.cpu / len(turn.answers.latencies) for turn in turns)
        ),
        "reply_ms": summary.milliseconds(latencies),
    }


def _memory(
    ways: Sequence[Way], start: Mapping[str, int], turns: Mapping[tuple[Way, int], Sequence[Turn]]
) -> dict[str, dict[str, float]]:
    """Return what each server held before, on average within the turns, and after them, in MB."""
    told = {}
    for way in ways:
        name = way.server.name
        within = [
            turn.middle
            for (each, _), ones in turns.items()
            for turn in ones
            if each.server is way.server
        ]
        bytes_held = {"start": start[name], "middle": max(within), "end": way.server.memory()}
        told[name] = {when: round(held / 1e6, 1) for when, held in bytes_held.items()}
    return told


def _print(content: Mapping[str, Any]) -> None:
    print(f"\nJPEGs of {content['jpeg_bytes'] // 1000} kB, nobody decodes them")
    print(
        f"{'':26}{'conns':>6}{'frames/s':>10}{'CPU us':>9}{'p50 ms':>9}{'p99 ms':>9}{'load us':>9}"
    )
    for row in sorted(content["rows"], key=lambda row: row["connections"]):
        reply = row["reply_ms"]
        print(
            f"{row['name']:26}{row['connections']:6}{row['fps']:10,}{row['cpu_us_per_frame']:9}"
            f"{reply['p50']:9.2f}{reply['p99']:9.2f}{row['load_cpu_us_per_frame']:9}"
        )
    print("CPU: of the server, all its processes, for a frame; load: of the program that posts")
    for name, held in content["memory_mb"].items():
        print(f"memory of {name}: " + ", ".join(f"{held[when]} MB {when}" for when in held))


def _draw(rows: Sequence[Mapping[str, Any]]) -> None:
    most = max(row["connections"] for row in rows)
    fps = {row["name"]: row["fps"] for row in rows if row["connections"] == most}
    limit = fps.pop(_LIMIT)
    chart.bars(
        "ingest", fps, title=f"JPEGs taken in, {most} connections", unit="frames/s", limit=limit
    )
