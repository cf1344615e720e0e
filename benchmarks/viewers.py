"""One camera of 720p at 25 pictures a second, a hook, and up to 100 viewers of its live view.

By turns with nobody watching, and with more and more viewers, five more of which are stuck: they
asked for the stream and never read. Shown are the rate at the hook as a share of the rate without
viewers, what a good viewer gets, and what a picture for one more viewer costs the server in CPU:
the difference between the most viewers and the fewest, divided by the pictures that were seen more.
Viewers of another width cost an encode for each picture, whatever their number.

Rivals make the same pictures in their own process, so they have no ingest and no hook beside the
viewers. The limit is one sendall for each viewer and picture, of the same bytes and with nothing
around it; it meets no stuck viewers, which would hold it up.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import requests
from tqdm import tqdm

from benchmarks.measuring import chart, contest, rival, steady, summary
from benchmarks.measuring.program import Program
from benchmarks.measuring.showing import Showing, figures
from benchmarks.measuring.sink import VARIABLE, read_notes
from benchmarks.measuring.stages import LIMIT, Show, Stage, everybody
from benchmarks.programs.audience import make_counts

_WARM_UP = 2.0
_COLUMNS = {
    "pictures/s": "fps",
    "slowest": "slowest_fps",
    "age p50": "age_p50_ms",
    "p99, ms": "age_p99_ms",
    "CPU %": "cpu_percent",
    "MB": "memory_mb",
    "received": "received_fps_share",
    "at hook": "hook_fps_share",
    "encodes/s": "encoded_fps",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=3, help="turns of each")
    parser.add_argument("--seconds", type=float, default=6, help="length of a turn")
    parser.add_argument("--viewers", type=int, nargs="+", default=[1, 10, 100])
    parser.add_argument("--stuck", type=int, default=5, help="viewers that never read")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="leave the other contestants out")
    steady.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    shows = []
    for show in everybody(arguments):
        if arguments.only and show.name not in arguments.only:
            continue
        if (words := rival.missing(*show.needs)) is None:
            shows.append(show)
        else:
            print(f"{show.name} is left out: {words}")
    turns: dict[str, list[Showing]] = {show.name: [] for show in shows}
    order = [
        (show, number)
        for _ in range(arguments.rounds)
        for show in shows
        for number in ([0] if show.has_hook else []) + arguments.viewers
    ]
    for show, number in tqdm(order, desc="viewers", unit="turn", disable=not sys.stderr.isatty()):
        turns[show.name].append(_turn(show, number, arguments))
    results = {name: figures(showings) for name, showings in turns.items()}
    _print(results, arguments)
    cpu = {name: result["cpu_us_per_picture"] for name, result in results.items()}
    chart.bars(
        "viewers",
        {name: value for name, value in cpu.items() if name != LIMIT},
        title=f"What a viewer's picture costs, {arguments.size}",
        unit="µs of the server's CPU",
        limit=cpu.get(LIMIT),
        limit_name="one sendall",
    )
    content = {"benchmark": "viewers", "environment": summary.environment()}
    content |= {"clip": arguments.clip and Path(arguments.clip).name, "size": arguments.size}
    content |= {"fps": arguments.fps, "stuck": arguments.stuck, "contestants": results}
    print(f"written to {summary.write('viewers', content)}")
    return 0


def _turn(show: Show, viewers: int, arguments: argparse.Namespace) -> Showing:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stage = show.start(stack, folder)
        counts = make_counts(folder / "counts", max(1, viewers))
        notes = folder / "seen"
        if viewers:
            # The limit has nothing that a stuck viewer would not hold up.
            stuck = 0 if show.name == LIMIT else arguments.stuck
            asked = ["benchmarks.programs.audience", stage.stream, f"--counts={folder / 'counts'}"]
            asked += [f"--viewers={viewers}", f"--stuck={stuck}"]
            audience = Program(
                "viewers", asked, ready=["watch"], environment={VARIABLE: str(notes)}
            )
            stack.enter_context(audience)
        time.sleep(_WARM_UP)
        parts, books, started = counts[:, 0].copy(), _books(stage), time.time()
        seen = contest.measure(notes, [stage.server], arguments.seconds)
        fps = (counts[:, 0] - parts) / (time.time() - started)
        after, ended = _books(stage), time.time()
        hook = None
        if stage.notes is not None:
            hook = sum(started <= note.seen < ended for note in read_notes(stage.notes))
        seconds = ended - started
        rates = {name: (after[name] - books[name]) / seconds for name in books}
        return Showing(
            viewers,
            tuple(fps.tolist()) if viewers else (),
            sum(seen.cpu.values()) / seen.seconds,
            seen,
            received_fps=rates.get("frames_received"),
            hook_fps=None if hook is None else hook / seconds,
            encoded_fps=rates.get("renditions"),
        )


def _books(stage: Stage) -> dict[str, float]:
    """Return what our receiver counted so far; nothing of another server."""
    if stage.base is None:
        return {}
    text = requests.get(f"{stage.base}/metrics", timeout=5).text
    counts = r"^framepost_(frames_received|renditions)_total(?:{.*})? (\S+)$"
    found = re.findall(counts, text, re.MULTILINE)
    return {name: float(value) for name, value in found}


def _print(results: Mapping[str, Mapping[str, Any]], arguments: argparse.Namespace) -> None:
    what = f"{arguments.size} at {arguments.fps:g} pictures a second"
    print(f"\n{what}; {arguments.stuck} viewers more are stuck")
    print(f"{'':28}{'viewers':>8}" + "".join(f"{column:>11}" for column in _COLUMNS))
    for name, result in results.items():
        for number, row in result["viewers"].items():
            cells = [row[key] for key in _COLUMNS.values()]
            words = ["-" if cell is None else f"{cell:g}" for cell in cells]
            print(f"{name:28}{number:>8}" + "".join(f"{word:>11}" for word in words))
    print("\nµs of the server's CPU for a viewer's picture")
    for name, result in results.items():
        print(f"{name:28}{result['cpu_us_per_picture']:10.1f}")
