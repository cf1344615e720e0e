"""A wall of 32 cameras for one viewer: `GET /live`, beside 32 MJPEG streams over 32 connections.

By turns nobody watches, one viewer sees all cameras at 320 pixels on one connection, and one sees
them by a connection each. Shown are the pictures that it got a second, their age when they were
whole (from the moment in which they were posted), and the server's CPU for each beyond what it
takes to receive the frames. Besides, the age of what a viewer sees that reads whole pictures at
only 1 MB/s, far less than they come.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import numpy as np
from tqdm import tqdm

from benchmarks.measuring import summary
from benchmarks.measuring.program import Program, Receiver
from shared import codec, pattern, wire

_SLOW = 1e6
_POSTERS = 4


@dataclass(frozen=True, slots=True)
class Turn:
    """What one viewer saw. `ages` and `cpu` are seconds; `cpu` is the server's a second."""

    ages: Sequence[float]
    cpu: float
    seconds: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=3, help="turns of each")
    parser.add_argument("--seconds", type=float, default=6, help="length of a turn")
    parser.add_argument("--cameras", type=int, default=32)
    parser.add_argument("--fps", type=float, default=5, help="of each camera")
    parser.add_argument("--width", type=int, default=320, help="of the pictures that are watched")


def run(arguments: argparse.Namespace) -> int:
    names = [f"cam{number:02}" for number in range(arguments.cameras)]
    wish = f"width={arguments.width}"
    turns: dict[str, list[Turn]] = {}
    with Receiver(hooks=0) as receiver, _posting(receiver.found[0], names, arguments.fps):
        base = receiver.found[0]
        ways = {
            "nobody": ([], 0.0),
            "one connection": ([f"{base}/live?{wish}"], 0.0),
            "MJPEG streams": ([f"{base}/cameras/{n}/stream.mjpg?{wish}" for n in names], 0.0),
            "reads 1 MB/s": ([f"{base}/live"], _SLOW),
        }
        order = [name for _ in range(arguments.rounds) for name in ways]
        for name in tqdm(order, desc="wall", unit="turn", disable=not sys.stderr.isatty()):
            urls, rate = ways[name]
            turn = _turn(receiver, urls, rate=rate, seconds=arguments.seconds)
            turns.setdefault(name, []).append(turn)
    idle = median(turn.cpu for turn in turns["nobody"])
    results = {name: _figures(them, idle) for name, them in turns.items() if name != "nobody"}
    _print(results, arguments, idle)
    content = {"benchmark": "wall", "environment": summary.environment()}
    content |= {"cameras": arguments.cameras, "fps": arguments.fps, "width": arguments.width}
    print(f"written to {summary.write('wall', content | {'viewers': results})}")
    return 0


@contextmanager
def _posting(url: str, cameras: Sequence[str], fps: float) -> Iterator[None]:
    """Post the test pattern for each camera meanwhile."""
    jpeg = codec.encode(pattern.draw(1, 1280, 720), 95)
    done = threading.Event()

    def post(names: Sequence[str]) -> None:
        connection = HTTPConnection(urlsplit(url).netloc, timeout=10)
        due = time.monotonic()
        while not done.wait(max(0.0, due - time.monotonic())):
            due = max(due, time.monotonic() - 1 / fps) + 1 / fps
            for name in names:
                headers = {"Content-Type": "image/jpeg"}
                headers[wire.CAPTURED_AT] = wire.format_time(time.time())
                connection.request("POST", f"/cameras/{name}/frames", jpeg, headers)
                connection.getresponse().read()
        connection.close()

    threads = [threading.Thread(target=post, args=(cameras[n::_POSTERS],)) for n in range(_POSTERS)]
    for thread in threads:
        thread.start()
    try:
        time.sleep(1)
        yield
    finally:
        done.set()
        for thread in threads:
            thread.join()


def _turn(receiver: Program, urls: Sequence[str], *, rate: float, seconds: float) -> Turn:
    with ExitStack() as stack:
        notes = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "ages"
        notes.touch()
        if urls:
            # Until a slow reader sees how old its pictures become.
            warm_up = f"--seconds={6 if rate else 2}"
            asked = ["benchmarks.programs.wall_reader", *urls, f"--notes={notes}", warm_up]
            asked.append(f"--rate={rate}")
            stack.enter_context(Program("viewer", asked, ready=["reads"]))
        cpu, started = receiver.cpu(), time.monotonic()
        time.sleep(seconds)
        cpu, took = receiver.cpu() - cpu, time.monotonic() - started
        # The last line may be torn.
        ages = [float(age) for age in notes.read_text().split("\n")[:-1]]
    return Turn(ages, cpu / took, took)


def _figures(turns: Sequence[Turn], idle: float) -> dict[str, float]:
    ages = np.array([age for turn in turns for age in turn.ages])
    rate = len(ages) / sum(turn.seconds for turn in turns)
    p50, p99 = np.percentile(ages, (50, 99)) * 1000
    cpu = median(turn.cpu for turn in turns)
    return {
        "pictures_s": round(rate, 1),
        "age_p50_ms": round(float(p50), 1),
        "age_p99_ms": round(float(p99), 1),
        "cpu_percent": round(cpu * 100, 1),
        "cpu_us_per_picture": round(max(0.0, cpu - idle) / rate * 1e6, 1),
    }


def _print(
    results: dict[str, dict[str, float]], arguments: argparse.Namespace, idle: float
) -> None:
    what = f"{arguments.cameras} cameras of 1280x720 at {arguments.fps:g} pictures a second"
    print(f"\n{what}, watched at {arguments.width} pixels; receiving alone: {idle * 100:.1f} % CPU")
    columns = ("pictures/s", "age p50", "p99, ms", "CPU %", "µs/picture")
    print(f"{'':20}" + "".join(f"{column:>12}" for column in columns))
    for name, row in results.items():
        print(f"{name:20}" + "".join(f"{cell:>12g}" for cell in row.values()))
