"""Where each microsecond of a frame goes: the CPU of every thread of our own chain, by frame.

`throughput`: a program with the Python client to the hook, as fast as it goes. `latency`: a camera
with 25 frames a second, the sender, the receiver, the hook. A thread's time is the kernel's own
count (schedstat), which knows nanoseconds; beside it how often a frame made it wait for something.
`python -m benchmarks.where`; Linux only.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks import latency, throughput
from benchmarks.measuring import summary
from benchmarks.measuring.program import Program
from benchmarks.measuring.sink import VARIABLE, read_notes

_WARM_UP = 4.0
#: Threads with less, in microseconds a frame, are not shown.
_LEAST = 3.0


@dataclass(frozen=True, slots=True)
class Spent:
    """What one thread has had: seconds of CPU, and waits that it began of its own accord."""

    program: str
    process: str
    thread: str
    cpu: float
    waits: int


def main(argv: Sequence[str]) -> int:
    """Measure, print, and write benchmarks/results/where-CHAIN.json; return 0 when frames came."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("chain", choices=["throughput", "latency"])
    parser.add_argument("--by", choices=["post", "stream"], default="stream", help="how it travels")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--size", default="1280x720", metavar="WIDTHxHEIGHT")
    parser.add_argument("--clip", help="a video whose pictures are sent; default: test pattern")
    arguments = parser.parse_args(argv)
    with ExitStack() as stack:
        notes = Path(stack.enter_context(TemporaryDirectory())) / "notes"
        programs = _start(arguments, stack, {VARIABLE: str(notes)})
        time.sleep(_WARM_UP)
        before, started = _look(programs), time.time()
        time.sleep(arguments.seconds)
        after, ended = _look(programs), time.time()
        seen = [note for note in read_notes(notes) if started <= note.seen < ended]
    if not seen:
        print("no picture came through")
        return 1
    rows = list(_rows(before, after, len(seen)))
    p50, p99 = np.percentile([note.latency * 1000 for note in seen], (50, 99))
    content = {
        "benchmark": "where",
        "environment": summary.environment(),
        "chain": arguments.chain,
        "fps": round(len(seen) / (ended - started), 1),
        "p50_ms": round(float(p50), 2),
        "p99_ms": round(float(p99), 2),
        "rows": rows,
    }
    print(f"{content['fps']} frames/s, {p50:.2f} ms (p50), {p99:.2f} ms (p99); µs of CPU a frame")
    print(f"{'program':10}{'process':30}{'thread':18}{'CPU':>8}{'waits':>7}")
    for row in rows:
        print(
            f"{row['program']:10}{row['process']:30}{row['thread']:18}{row['us']:8}{row['waits']:7}"
        )
    print(f"{'together':58}{sum(row['us'] for row in rows):8}")
    print(f"written to {summary.write(f'where-{arguments.chain}', content)}")
    return 0


def _start(
    arguments: argparse.Namespace, stack: ExitStack, environment: Mapping[str, str]
) -> Sequence[Program]:
    if arguments.chain == "latency":
        options = ["--rtsp-reader=direct", f"--transport={arguments.by}"]
        arguments.fps = 25.0
        return latency.ours(arguments, options, stack, environment)[1:]
    sending = [
        f"--size={arguments.size}",
        *([f"--clip={arguments.clip}"] if arguments.clip else []),
    ]
    return throughput.ours(arguments.by, sending, stack, environment)


def _look(programs: Sequence[Program]) -> dict[tuple[int, int], Spent]:
    found = {}
    for program in programs:
        for process in program.family():
            name = next(word for word in process.cmdline()[1:] if not word.startswith("-"))
            for task in Path(f"/proc/{process.pid}/task").iterdir():
                found[process.pid, int(task.name)] = _read(task, program.name, name)
    return found


def _read(task: Path, program: str, process: str) -> Spent:
    nanoseconds = int((task / "schedstat").read_text().split()[0])
    status = dict(
        line.split(":", 1) for line in (task / "status").read_text().splitlines() if ":" in line
    )
    waits = int(status["voluntary_ctxt_switches"])
    return Spent(program, process, status["Name"].strip(), nanoseconds / 1e9, waits)


def _rows(
    before: Mapping[tuple[int, int], Spent], after: Mapping[tuple[int, int], Spent], frames: int
) -> Iterator[dict[str, Any]]:
    for key, spent in after.items():
        was = before.get(key)
        us = 1e6 * (spent.cpu - (was.cpu if was else 0.0)) / frames
        if us >= _LEAST:
            yield {
                "program": spent.program,
                "process": spent.process,
                "thread": spent.thread,
                "us": round(us),
                "waits": round((spent.waits - (was.waits if was else 0)) / frames, 1),
            }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
