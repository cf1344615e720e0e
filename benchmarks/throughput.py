"""From an ndarray through JPEG to an ndarray in another process, as fast as it goes.

Each contestant draws a fresh number into each picture, encodes it (quality 80, 4:2:0), sends it,
decodes it in another process and reads the number there; what arrives counts once, what was
replaced or lost on the way is shown beside it. The limit, measured in each round too, is the slower
of encoding alone and decoding alone, each in a process of its own at the same time.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.measuring import chart, pairs, summary
from benchmarks.measuring.codec_bound import CodecBound
from benchmarks.measuring.contest import Chain, Contestant, contest, figures
from benchmarks.measuring.program import Program, Receiver

_LIMIT = "limit: the codec alone"
_OURS = {"Framepost, stream": "stream", "Framepost, posts": "post"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=5, help="turns of each contestant")
    parser.add_argument("--seconds", type=float, default=5, help="of one turn")
    parser.add_argument(
        "--sizes", nargs="+", default=["1280x720", "1920x1080"], metavar="WIDTHxHEIGHT"
    )
    parser.add_argument("--clip", help="a video whose pictures are sent; default: test pattern")


def run(arguments: argparse.Namespace) -> int:
    rivals = pairs.present((*pairs.RIVALS, pairs.EARLY))
    content: dict[str, Any] = {"benchmark": "throughput", "environment": summary.environment()}
    content |= {"clip": arguments.clip and Path(arguments.clip).name, "sizes": {}}
    for size in arguments.sizes:
        sending = [f"--size={size}", *([f"--clip={arguments.clip}"] if arguments.clip else [])]
        contestants: list[Contestant] = [CodecBound(_LIMIT, sending)]
        contestants += [Chain(name, partial(ours, by, sending)) for name, by in _OURS.items()]
        contestants += [Chain(pair.name, partial(pair.start, sending=sending)) for pair in rivals]
        turns = contest(contestants, rounds=arguments.rounds, seconds=arguments.seconds, title=size)
        rows = {name: figures(each) for name, each in turns.items()}
        content["sizes"][size] = rows
        _print(size, rows)
        _draw(size, rows)
    print(f"written to {summary.write('throughput', content)}")
    return 0


def ours(
    by: str, sending: Sequence[str], stack: ExitStack, environment: Mapping[str, str]
) -> list[Program]:
    """Start our chain; `by` is post or stream, `sending` tells which pictures."""
    receiver = stack.enter_context(
        Receiver("--hook", "benchmarks.programs.reading_hook:Noting", environment=environment)
    )
    line = ["benchmarks.programs.framepost_send", f"--url={receiver.url}", f"--by={by}", *sending]
    return [receiver, stack.enter_context(Program("sender", line))]


def _draw(size: str, rows: Mapping[str, Mapping[str, Any]]) -> None:
    chart.bars(
        f"throughput-{size}",
        {name: row["fps"] for name, row in rows.items() if name != _LIMIT},
        title=f"ndarray to ndarray through JPEG, {size}",
        unit="frames/s",
        limit=rows[_LIMIT]["fps"],
        limit_name="codec alone",
    )


def _print(size: str, rows: Mapping[str, Mapping[str, Any]]) -> None:
    limit = rows[_LIMIT]["fps"]
    print(f"\n{size}, frames/s: medians of turns; CPU in µs a frame")
    print(
        f"{'':30}{'frames/s':>9}{'limit':>7}{'p50 ms':>8}{'p99 ms':>8}{'missing':>8}{'MB':>6}  CPU"
    )
    for name, row in sorted(rows.items(), key=lambda item: -item[1]["fps"]):
        cpu = ", ".join(f"{part} {spent:,}" for part, spent in row["cpu_us_per_frame"].items())
        memory = sum(row["memory_mb"].values())
        share = row["fps"] / limit if limit else 0.0
        print(
            f"{name:30}{row['fps']:9.1f}{share:7.0%}{row['p50_ms']:8.2f}{row['p99_ms']:8.2f}"
            f"{row['missing']:8}{memory:6.0f}  {cpu}"
        )
