"""Raw 1080p pictures to a program on the same host, as fast as they are taken.

Framepost by shared memory (the KServe form, pictures made in place, and copied there), and with the
pixels in a POST's body; imageZMQ and NetGear with arrays. A number is drawn into each picture, and
read from the pixels at the end. A B A B in one run. The limit for those that copy is one memcpy of
such a picture. Latency is from drawing to reading; where several are under way it is that much
longer.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from statistics import median
from typing import Any

import numpy as np

from benchmarks.measuring import chart, feed, port, rival, summary
from benchmarks.measuring.contest import Chain, contest, figures
from benchmarks.measuring.program import Program, Receiver

_COPIES = 50
_Start = Callable[[ExitStack, Mapping[str, str]], Sequence[Program]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=5, help="turns of each contestant")
    parser.add_argument("--seconds", type=float, default=5, help="of one turn")
    parser.add_argument("--size", default="1920x1080", metavar="WIDTHxHEIGHT")
    parser.add_argument("--flights", type=int, default=4, help="requests under way, of Framepost")
    parser.add_argument("--clip", help="a video whose pictures are sent; default: test pattern")


def run(arguments: argparse.Namespace) -> int:
    turns = contest(
        _chains(arguments), rounds=arguments.rounds, seconds=arguments.seconds, title="raw"
    )
    rows = {name: figures(each) for name, each in turns.items()}
    content: dict[str, Any] = {"benchmark": "raw", "environment": summary.environment()}
    limit = copies_per_second(arguments.size)
    content |= {"size": arguments.size, "copies_per_second": round(limit), "rows": rows}
    _print(content)
    bars = {name: float(row["fps"]) for name, row in content["rows"].items()}
    chart.bars(
        "raw",
        bars,
        title=f"raw {arguments.size} pictures on one host",
        unit="frames/s",
        limit=limit,
        limit_name="memcpy",
    )
    print(f"written to {summary.write('raw', content)}")
    return 0


def copies_per_second(size: str) -> float:
    """Return how often one picture can be copied to memory that is not in a cache, in a second."""
    width, height = (int(side) for side in size.split("x"))
    image = feed.load(None, width, height, pictures=1)[0]
    # Together more than the last cache holds.
    targets = [np.ones_like(image) for _ in range(16)]
    seconds = []
    for number in range(_COPIES):
        started = time.perf_counter()
        np.copyto(targets[number % len(targets)], image)
        seconds.append(time.perf_counter() - started)
    return 1 / median(seconds)


def _chains(arguments: argparse.Namespace) -> list[Chain]:
    feeding = [f"--size={arguments.size}"]
    if arguments.clip:
        feeding.append(f"--clip={arguments.clip}")
    ours = {
        "Framepost, shared memory": "memory",
        "Framepost, shared memory, copied there": "copy",
        "Framepost, pixels in a POST": "body",
    }
    chains = [
        Chain(name, partial(_ours, [f"--way={way}", f"--flights={arguments.flights}", *feeding]))
        for name, way in ours.items()
    ]
    for name, module, needed in (
        ("imageZMQ, arrays", "imagezmq_raw", "imagezmq"),
        ("NetGear, arrays", "netgear_raw", "vidgear"),
    ):
        sentence = rival.missing(needed)
        if sentence is None:
            chains.append(Chain(name, partial(_theirs, module, feeding)))
        else:
            print(sentence)
    return chains


def _ours(
    sending: Sequence[str], stack: ExitStack, environment: Mapping[str, str]
) -> list[Program]:
    receiver = stack.enter_context(
        Receiver("--hook", "benchmarks.programs.reading_hook:Noting", environment=environment)
    )
    # The model's name is that of the hook's module.
    sender = Program("sender", ["benchmarks.programs.raw_send", receiver.url, *sending])
    return [stack.enter_context(sender), receiver]


def _theirs(
    module: str, feeding: Sequence[str], stack: ExitStack, environment: Mapping[str, str]
) -> list[Program]:
    number = f"--port={port.free()}"
    receiver = Program(
        "receiver",
        [f"benchmarks.rivals.{module}_receive", number],
        ready=["ready"],
        environment=environment,
    )
    stack.enter_context(receiver)
    sender = Program("sender", [f"benchmarks.rivals.{module}_send", number, *feeding])
    return [stack.enter_context(sender), receiver]


def _print(content: Mapping[str, Any]) -> None:
    print(f"\nraw {content['size']} BGR, one memcpy of it: {content['copies_per_second']:,}/s")
    print(
        f"{'':40}{'frames/s':>9}{'p50 ms':>8}{'p99 ms':>8}{'sender us':>10}{'receiver us':>12}"
        f"{'MB':>6}{'bad':>5}"
    )
    for name, row in content["rows"].items():
        cpu = row["cpu_us_per_frame"]
        bad = row["illegible"] + row["repeated"]
        memory = sum(row["memory_mb"].values())
        print(
            f"{name:40}{row['fps']:9,.0f}{row['p50_ms']:8.2f}{row['p99_ms']:8.2f}"
            f"{cpu['sender']:10}{cpu['receiver']:12}{memory:6.0f}{bad:5}"
        )
