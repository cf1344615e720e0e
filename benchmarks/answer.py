"""From a picture in the caller's memory to the hook's result in it, by every way there is.

All ways in one run, a few calls of each in turn, against one receiver whose hook decodes the
picture and reads the number drawn in it. A call that brings another number back ends the run.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks.callers.contract import Caller, Shot
from benchmarks.callers.java import Java, compile_java
from benchmarks.callers.kserve import KServe, KServeSharedMemory
from benchmarks.callers.post import Base64Form, Post
from benchmarks.callers.stream import Stream
from benchmarks.measuring import feed, summary
from benchmarks.measuring.program import Receiver

_WARM_UP = 2
_JAVA = {
    "JPEG, Java client": "jpeg",
    "JPEG, stream, Java": "stream",
    "raw pixels, Java client": "raw",
    "KServe, Java": "kserve",
    "KServe, shared memory, Java": "memory",
    "base64 form, Java": "base64",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=30, help="turns of each way")
    parser.add_argument("--calls", type=int, default=10, help="calls in one turn")
    parser.add_argument(
        "--sizes", nargs="+", default=["1280x720", "1920x1080"], metavar="WIDTHxHEIGHT"
    )
    parser.add_argument(
        "--clip", help="a video whose pictures are sent, scaled; default: the test pattern"
    )
    parser.add_argument("--quality", type=int, default=80, help="JPEG quality")


def run(arguments: argparse.Namespace) -> int:
    content: dict[str, Any] = {"benchmark": "answer", "environment": summary.environment()}
    content |= {"clip": arguments.clip and Path(arguments.clip).name, "sizes": {}}
    with Receiver("--hook", "benchmarks.programs.reading_hook:process") as receiver:
        for size in arguments.sizes:
            content["sizes"][size] = _measure(receiver.url, size, arguments)
    path = summary.write("answer", content)
    print(f"written to {path}")
    return 0


def _measure(url: str, size: str, arguments: argparse.Namespace) -> dict[str, dict[str, float]]:
    width, height = (int(side) for side in size.split("x"))
    images = feed.load(arguments.clip, width, height)
    shots = [Shot.make(n, image, arguments.quality) for n, image in enumerate(images)]
    samples: dict[str, list[float]] = {}
    with _callers(url, shots) as callers:
        turns = arguments.rounds + _WARM_UP
        for turn in tqdm(range(turns), desc=size, unit="turn", disable=not sys.stderr.isatty()):
            for name, caller in callers.items():
                seconds = [caller.call(shots[n % len(shots)]) for n in range(arguments.calls)]
                if turn >= _WARM_UP:
                    samples.setdefault(name, []).extend(seconds)
    rows = {name: summary.milliseconds(seconds) for name, seconds in samples.items()}
    _print(size, len(shots[0].jpeg), arguments.rounds * arguments.calls, rows)
    return rows


@contextmanager
def _callers(url: str, shots: list[Shot]) -> Iterator[dict[str, Caller]]:
    with ExitStack() as stack:
        ways: dict[str, Callable[[], Caller]] = {
            "JPEG, Python client": lambda: Post(url),
            "JPEG, stream": lambda: Stream(url),
            "raw pixels, Python client": lambda: Post(url, raw=True),
            "KServe, tritonclient": lambda: KServe(url),
            "KServe, shared memory": lambda: KServeSharedMemory(url, shots[0].image.nbytes),
            "base64 form, kept connection": lambda: Base64Form(url, kept=True),
            "base64 form, as tutorials do": lambda: Base64Form(url, kept=False),
        }
        if shutil.which("javac"):
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            compile_java(folder)
            for name, how in _JAVA.items():
                ways[name] = partial(Java, url, folder, shots, how)
        callers = {}
        for name, make in ways.items():
            callers[name] = caller = make()
            stack.callback(caller.close)
        yield callers


def _print(size: str, jpeg: int, calls: int, rows: dict[str, dict[str, float]]) -> None:
    print(f"\n{size}, JPEG of {jpeg // 1000} kB, {calls} calls each, milliseconds")
    print(f"{'':32}{'p50':>9}{'p95':>9}{'p99':>9}")
    for name, row in sorted(rows.items(), key=lambda item: item[1]["p50"]):
        print(f"{name:32}{row['p50']:9.2f}{row['p95']:9.2f}{row['p99']:9.2f}")
