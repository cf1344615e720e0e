"""How many runs a second of a hook that takes 20 ms of CPU, with one and with two workers.

The hook is a loop of pure Python, calibrated at the start. A compiled program posts frames of
several cameras at a pace that no worker keeps up with; ingest is to go on as if there were no hook.
LitServe runs the same loop in one and in two workers; it answers each picture when it is done, so
it is sent the next ones as fast as it answers. The limit is the loop alone, in one and in two
processes that do nothing else. A B A B in one run.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from tqdm import tqdm

from benchmarks.measuring import chart, feed, jobs, port, rival, summary
from benchmarks.measuring.load import Answers, Job, Load
from benchmarks.measuring.program import Program, Receiver
from benchmarks.programs import busy
from shared import codec

_OURS, _THEIRS, _LIMIT = "Framepost", "LitServe", "limit: the loop alone"
_NO_HOOK = f"{_OURS}, no hook"
#: Of LitServe: so many requests are always there for each of two workers.
_WAITING = 4
#: Seconds from the first run of the loop alone until all are at it.
_SETTLED = 1.0


@dataclass(frozen=True, slots=True)
class Turn:
    """What one contestant did in one turn. `cpu` is in seconds of all its processes."""

    runs_per_second: float
    answers: Answers
    cpu: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=5, help="turns of each contestant")
    parser.add_argument("--seconds", type=float, default=8, help="of one turn")
    parser.add_argument("--work", type=float, default=20, help="milliseconds of CPU in the hook")
    parser.add_argument("--cameras", type=int, default=6)
    parser.add_argument("--fps", type=float, default=25, help="of each camera")
    parser.add_argument("--clip", help="a video whose pictures are posted; default: test pattern")


def run(arguments: argparse.Namespace) -> int:
    turns_of_loop = busy.turns_of(arguments.work / 1000)
    pictures = [codec.encode(image, 80) for image in feed.load(arguments.clip, 1280, 720)]
    contestants = [_OURS, _THEIRS, _LIMIT]
    sentence = rival.missing("litserve", "python_multipart")
    if sentence is not None:
        print(sentence)
        contestants.remove(_THEIRS)
    names = [_NO_HOOK]
    names += [f"{who}, {count}" for who in contestants for count in ("1 worker", "2 workers")]
    turns: dict[str, list[Turn]] = {name: [] for name in names}
    with Load() as load:
        order = names * arguments.rounds
        for name in tqdm(order, desc="hooks", unit="turn", disable=not sys.stderr.isatty()):
            turns[name].append(_turn(name, load, pictures, turns_of_loop, arguments))
    rows = {name: _row(each) for name, each in turns.items()}
    content: dict[str, Any] = {"benchmark": "hooks", "environment": summary.environment()}
    content |= {"work_ms": arguments.work, "cameras": arguments.cameras, "fps": arguments.fps}
    content |= {"rows": rows, "ratios": ratios(rows)}
    _print(content)
    bars = {name: float(row["runs_per_second"]) for name, row in rows.items() if name != _NO_HOOK}
    title = f"runs of a hook of {arguments.work:g} ms"
    chart.bars("hooks", bars, title=title, unit="runs/s")
    print(f"written to {summary.write('hooks', content)}")
    return 0


def ratios(rows: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """Return how many times the runs of one worker two make, by contestant."""
    found = {}
    for name, row in rows.items():
        who, _, workers = name.partition(", ")
        if workers == "2 workers":
            one = rows[f"{who}, 1 worker"]["runs_per_second"]
            found[who] = round(row["runs_per_second"] / one, 2)
    return found


def _turn(
    name: str, load: Load, pictures: Sequence[bytes], loop: int, arguments: argparse.Namespace
) -> Turn:
    who, _, workers = name.partition(", ")
    with ExitStack() as stack:
        notes = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "notes"
        environment = {busy.TURNS: str(loop), busy.NOTES: str(notes)}
        count = 0 if name == _NO_HOOK else int(workers[0])
        if who == _LIMIT:
            return _alone(stack, count, environment, notes, arguments.seconds)
        if who == _THEIRS:
            server, url = _litserve(stack, environment | {busy.WORKERS: str(count)})
            job, fps = jobs.forms(pictures, _WAITING), 0.0
        else:
            hook = (
                ["--hook", "benchmarks.programs.busy:Busy", f"--hook-workers={count}"]
                if count
                else []
            )
            receiver = Receiver(*hook, hooks=count, environment=environment)
            server, url = stack.enter_context(receiver), receiver.url
            job, fps = jobs.posts(pictures, arguments.cameras), arguments.fps
        return _measure(server, url, load, job, notes, fps=fps, seconds=arguments.seconds)


def _alone(
    stack: ExitStack, count: int, environment: Mapping[str, str], notes: Path, seconds: float
) -> Turn:
    programs = [
        stack.enter_context(Program("loop", ["benchmarks.programs.busy"], environment=environment))
        for _ in range(count)
    ]
    while not notes.exists():
        time.sleep(0.05)
    time.sleep(_SETTLED)
    started, before = time.monotonic(), busy.runs(notes)
    cpu = sum(program.cpu() for program in programs)
    time.sleep(seconds)
    took = time.monotonic() - started
    cpu = sum(program.cpu() for program in programs) - cpu
    return Turn((busy.runs(notes) - before) / took, Answers(took, 0.0, ()), cpu)


def _litserve(stack: ExitStack, environment: Mapping[str, str]) -> tuple[Program, str]:
    number = port.free()
    program = Program(
        "litserve",
        ["benchmarks.rivals.litserve_busy", f"--port={number}"],
        ready=["Application startup complete"],
        environment=environment,
    )
    return stack.enter_context(program), f"http://127.0.0.1:{number}"


def _measure(
    server: Program, url: str, load: Load, job: Job, notes: Path, *, fps: float, seconds: float
) -> Turn:
    before, cpu = busy.runs(notes), server.cpu()
    answers = load.run(url, job, seconds=seconds, fps=fps)
    runs = busy.runs(notes) - before
    return Turn(runs / answers.seconds, answers, server.cpu() - cpu)


def _row(turns: Sequence[Turn]) -> dict[str, Any]:
    latencies = [each for turn in turns for each in turn.answers.latencies]
    return {
        "runs_per_second": round(median(turn.runs_per_second for turn in turns), 1),
        "posted_per_second": round(median(turn.answers.per_second for turn in turns), 1),
        "reply_ms": summary.milliseconds(latencies) if latencies else None,
        "cores": round(median(turn.cpu / turn.answers.seconds for turn in turns), 2),
    }


def _print(content: Mapping[str, Any]) -> None:
    posted = content["cameras"] * content["fps"]
    print(f"\nhook of {content['work_ms']:g} ms; {posted:g} frames/s are posted to Framepost")
    print(f"{'':34}{'runs/s':>8}{'cores':>7}{'posted/s':>10}{'p50 ms':>9}{'p99 ms':>9}")
    for name, row in content["rows"].items():
        line = f"{name:34}{row['runs_per_second']:8}{row['cores']:7}"
        if reply := row["reply_ms"]:
            line += f"{row['posted_per_second']:10}{reply['p50']:9.2f}{reply['p99']:9.2f}"
        print(line)
    for who, ratio in content["ratios"].items():
        print(f"{who}: two workers run {ratio} times what one does")
