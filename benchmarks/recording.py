"""What recording costs: the receiver's CPU for a frame, and the age of frames at the hook.

The sender's test pattern at 25 pictures a second, a hook that reads the number in the pixels, and a
receiver that records all of it, that holds the last seconds for an event, or that does neither. By
turns in one run, A B A B. `recorder alone` is what one frame costs without anything around it:
the queue, both files, and the system's part of writing them.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.measuring import summary
from benchmarks.measuring.contest import Chain, contest, figures
from benchmarks.measuring.program import Program, Receiver
from receiver.recording.plan import Plan
from receiver.recording.recorder import Recorder
from receiver.recording.schedule import Schedule
from shared import codec, pattern
from shared.frame import EncodedFrame

_WAYS: dict[str, Sequence[str]] = {
    "off": (),
    "always": ("--record-when", "always"),
    "event": ("--record-when", "event", "--record-before", "5"),
}
#: Frames of the recorder alone, and how many it gets at a time.
_FRAMES, _BATCH = 2000, 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=5, help="turns of each way")
    parser.add_argument("--seconds", type=float, default=6, help="of one turn")
    parser.add_argument("--size", default="1280x720", metavar="WIDTHxHEIGHT")
    parser.add_argument("--quality", type=int, default=95, help="of the JPEGs")


def run(arguments: argparse.Namespace) -> int:
    chains = [Chain(name, _chain(options, arguments)) for name, options in _WAYS.items()]
    turns = contest(chains, rounds=arguments.rounds, seconds=arguments.seconds, title="recording")
    rows = {name: figures(each) for name, each in turns.items()}
    size, alone = _alone(arguments)
    print(f"{'':10}{'frames/s':>10}{'p50 ms':>8}{'p99 ms':>8}{'receiver CPU, µs a frame':>26}")
    for name, row in rows.items():
        cpu = _cpu(row)
        print(f"{name:10}{row['fps']:>10}{row['p50_ms']:>8}{row['p99_ms']:>8}{cpu:>26}")
    print(f"recorder alone: {alone:.0f} µs of CPU for a frame of {size / 1000:.0f} kB")
    content = {
        "benchmark": "recording",
        "environment": summary.environment(),
        "size": arguments.size,
        "jpeg_bytes": size,
        "rows": rows,
        "alone_us": round(alone, 1),
    }
    print(f"written to {summary.write('recording', content)}")
    return 0


def _chain(
    options: Sequence[str], arguments: argparse.Namespace
) -> Callable[[ExitStack, Mapping[str, str]], Sequence[Program]]:
    def start(stack: ExitStack, environment: Mapping[str, str]) -> Sequence[Program]:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        record = ("--record", folder, *options) if options else ()
        hook = ("--hook", "benchmarks.programs.reading_hook:Noting")
        receiver = stack.enter_context(Receiver(*hook, *record, environment=environment))
        how = (f"--size={arguments.size}", f"--quality={arguments.quality}", "--fps=25")
        line = ["sender", "--source=testsrc", f"--to={receiver.url}", *how]
        return [receiver, stack.enter_context(Program("sender", line))]

    return start


def _alone(arguments: argparse.Namespace) -> tuple[int, float]:
    """Return the bytes of a JPEG, and the microseconds of CPU that recording it takes."""
    width, height = map(int, arguments.size.split("x"))
    jpeg = codec.encode(pattern.draw(1, width, height), arguments.quality)
    first = EncodedFrame(
        camera="cam1", epoch="e", seq=0, captured_at=0.0, data=jpeg, width=width, height=height
    )
    frames = [replace(first, seq=n, captured_at=n / 25) for n in range(_FRAMES)]
    folder = Path(tempfile.mkdtemp())
    recorder = Recorder(Plan(folder=folder, schedule=Schedule.parse(["always"])))
    try:
        began = time.process_time()
        for n in range(0, _FRAMES, _BATCH):
            for frame in frames[n : n + _BATCH]:
                recorder.received(frame)
            recorder.work()
        spent = time.process_time() - began
        recorder.close()
        recorded = recorder.tallies()["cam1"].recorded
    finally:
        shutil.rmtree(folder)
    return len(jpeg), 1e6 * spent / recorded


def _cpu(row: Mapping[str, Any]) -> int:
    return int(row["cpu_us_per_frame"]["receiver"])
