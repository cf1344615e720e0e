"""More and more cameras of 360p at 10 frames a second through one sender and one receiver.

RTSP cameras with H.264 (`python -m camera`, eight at most; beyond, several readers share one, which
is one more camera for all that comes after it), one `python -m sender` for all, one receiver with
one hook that reads the number in each frame. Shown are the CPU that a camera costs on both sides,
which should not depend on how many there are, the age of frames at the hook, and how evenly
cameras fare when there is not enough for all. The classic way is a pair of processes for each
camera (see rivals/classic_send), tried with as many as get nine frames of ten through.

The limit is the codecs alone: H.264 to pixels, pixels to JPEG, JPEG to pixels.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from tqdm import tqdm

from benchmarks.measuring import chart, feed, fleet, port, steady, summary
from benchmarks.measuring.fleet import Fleet
from benchmarks.measuring.picture_bound import picture_bound
from benchmarks.measuring.program import Program, Receiver
from benchmarks.measuring.sink import VARIABLE

_CAMERAS = 8
#: Who gets less than this share of its frames through is not asked for more cameras.
_ENOUGH = 0.9
_COLUMNS = (
    *("cameras", "frames/s", "slowest", "fastest", "missing", "p50 ms", "p99 ms"),
    *("send %", "receive %", "busy %", "MB"),
)
_OURS, _CLASSIC = "Framepost", "classic"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=2, help="turns of each")
    parser.add_argument("--seconds", type=float, default=10, help="length of a turn")
    parser.add_argument("--cameras", type=int, nargs="+", default=[1, 2, 4, 8, 16, 32])
    parser.add_argument("--only", nargs="+", choices=[_OURS, _CLASSIC], help="default: both")
    steady.add_arguments(parser)
    parser.set_defaults(size="640x360", fps=10)


def run(arguments: argparse.Namespace) -> int:
    chains: dict[str, Chain] = {_OURS: _start_ours, _CLASSIC: _start_classic}
    if arguments.only:
        chains = {name: chain for name, chain in chains.items() if name in arguments.only}
    images = feed.load(arguments.clip, *(int(side) for side in arguments.size.split("x")))
    turns: dict[str, dict[int, list[Fleet]]] = {name: {} for name in chains}
    bounds = []
    total = arguments.rounds * len(arguments.cameras) * len(chains)
    with tqdm(total=total, desc="cameras", unit="turn", disable=not sys.stderr.isatty()) as bar:
        for _ in range(arguments.rounds):
            bounds.append(picture_bound(images, fps=arguments.fps, quality=arguments.quality))
            for number in arguments.cameras:
                for name, chain in chains.items():
                    if name == _OURS or _copes(turns[name], number, arguments.fps):
                        turn = _turn(chain, number, arguments)
                        turns[name].setdefault(number, []).append(turn)
                    bar.update()
    bound = median(bounds)
    results = {
        name: {str(number): fleet.figures(some) for number, some in by_number.items()}
        for name, by_number in turns.items()
    }
    _print(results, bound, arguments)
    content: dict[str, Any] = {"benchmark": "cameras", "environment": summary.environment()}
    content |= {"clip": arguments.clip and Path(arguments.clip).name, "size": arguments.size}
    content |= {"fps": arguments.fps, "codecs_us_per_frame": round(bound), "contestants": results}
    _draw(results, bound, arguments)
    print(f"written to {summary.write('cameras', content)}")
    return 0


#: Starts what brings the cameras' frames to the files of notes; returns it by side.
Chain = Callable[[ExitStack, list[str], list[Path], argparse.Namespace], dict[str, list[Program]]]


def _start_ours(
    stack: ExitStack, urls: list[str], notes: list[Path], arguments: argparse.Namespace
) -> dict[str, list[Program]]:
    folder = notes[0].parent
    receiver = Receiver(
        "--hook", "benchmarks.programs.camera_hook:Noting", environment={VARIABLE: str(folder)}
    )
    stack.enter_context(receiver)
    settings = folder / "cameras.yaml"
    lines = [f"to: {receiver.url}", f"quality: {arguments.quality}", "cameras:"]
    for path, url in zip(notes, urls, strict=True):
        lines += [f"  - camera: {path.name}", f"    source: {url}"]
    settings.write_text("\n".join(lines) + "\n", encoding="utf-8")
    sender = Program("sender", ["sender", f"--config={settings}"])
    return {"sender": [stack.enter_context(sender)], "receiver": [receiver]}


def _start_classic(
    stack: ExitStack, urls: list[str], notes: list[Path], arguments: argparse.Namespace
) -> dict[str, list[Program]]:
    sides: dict[str, list[Program]] = {"sender": [], "receiver": []}
    for path, url in zip(notes, urls, strict=True):
        at = f"--port={port.free()}"
        receiver = Program(
            f"receiver of {path.name}",
            ["benchmarks.rivals.classic_receive", at],
            ready=["Running on"],
            environment={VARIABLE: str(path)},
        )
        sides["receiver"].append(stack.enter_context(receiver))
        sender = Program(
            f"sender of {path.name}", ["benchmarks.rivals.classic_send", at, f"--source={url}"]
        )
        sides["sender"].append(stack.enter_context(sender))
    return sides


def _turn(chain: Chain, number: int, arguments: argparse.Namespace) -> Fleet:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        urls = [stack.enter_context(one).found[0] for one in _cameras(number, arguments)]
        notes = [folder / f"cam{n}" for n in range(number)]
        sources = [urls[n % len(urls)] for n in range(number)]
        sides = chain(stack, sources, notes, arguments)
        return fleet.measure(notes, sides, arguments.seconds)


def _cameras(number: int, arguments: argparse.Namespace) -> Iterator[Program]:
    wanted = ["camera", "--port=0"]
    if arguments.clip:
        wanted = ["benchmarks.programs.marked_camera", f"--clip={arguments.clip}"]
    wanted += [f"--size={arguments.size}", f"--fps={arguments.fps:g}"]
    for n in range(min(number, _CAMERAS)):
        yield Program(f"camera {n}", wanted, ready=[r"(rtsp://\S+)"])


def _copes(turns: Mapping[int, list[Fleet]], number: int, fps: float) -> bool:
    """Say whether it did well with the next smaller number, or was not asked yet."""
    smaller = [n for n in turns if n < number]
    if not smaller:
        return True
    before = turns[max(smaller)]
    return median(one.fps for one in before) >= _ENOUGH * fps * max(smaller)


def _print(
    results: Mapping[str, Mapping[str, Any]], bound: float, arguments: argparse.Namespace
) -> None:
    print(f"\n{arguments.size} H.264 at {arguments.fps:g} frames a second")
    print(f"{'':12}" + "".join(f"{column:>11}" for column in _COLUMNS))
    for name, rows in results.items():
        for number, row in rows.items():
            keys = ("fps", "slowest_fps", "fastest_fps", "missing", "p50_ms", "p99_ms")
            cpu = row["cpu_percent_per_camera"]
            cells = [*(row[key] for key in keys), cpu["sender"], cpu["receiver"]]
            cells += [row["busy_percent"], sum(row["memory_mb"].values())]
            print(f"{name:12}{number:>11}" + "".join(f"{cell:11.4g}" for cell in cells))
    print(
        f"\n% of a core for each camera; the codecs alone take {bound:.0f} µs of a frame, "
        f"{_percent(bound, arguments):.2f} %, so a core has enough for "
        f"{1e6 / bound / arguments.fps:.0f} cameras"
    )


def _draw(
    results: Mapping[str, Mapping[str, Any]], bound: float, arguments: argparse.Namespace
) -> None:
    values = {
        f"{name}, {number}": sum(row["cpu_percent_per_camera"].values())
        for name, rows in results.items()
        for number, row in rows.items()
    }
    chart.bars(
        "cameras",
        values,
        title=f"What a camera costs, {arguments.size} at {arguments.fps:g} frames a second",
        unit="% of a core, sender and receiver together",
        limit=_percent(bound, arguments),
        limit_name="the codecs alone",
    )


def _percent(bound: float, arguments: argparse.Namespace) -> float:
    share: float = bound * arguments.fps / 1e4
    return share
