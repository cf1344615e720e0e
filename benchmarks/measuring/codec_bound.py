"""CodecBound: how many frames a second encoding and decoding alone allow, each on its own core.

What contestants do besides, drawing a number before and reading it afterwards, is not in it. As a
program it does one of the two, and says how often it did, and in how many seconds of CPU.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from benchmarks.measuring.contest import Turn
from benchmarks.measuring.program import Program
from benchmarks.rivals.options import QUALITY, add_pictures, load
from shared import codec

_HALVES = ("encode", "decode")


@dataclass(frozen=True, slots=True)
class CodecBound:
    """A contestant whose frames go nowhere: the slower of the two, both at once."""

    name: str
    #: What says which pictures, see `options.add_pictures`.
    pictures: Sequence[str]

    def run(self, seconds: float) -> Turn:
        """Raise RuntimeError when one of the two fails."""
        wanted = [*self.pictures, f"--seconds={seconds:g}"]
        done: dict[str, int] = {}
        cpu: dict[str, float] = {}
        with ExitStack() as stack:
            programs = [
                stack.enter_context(
                    Program(half, ["benchmarks.measuring.codec_bound", half, *wanted])
                )
                for half in _HALVES
            ]
            for program in programs:
                program.wait(seconds + 30)
        for program in programs:
            count, spent = program.said().split()
            done[program.name], cpu[program.name] = int(count), float(spent)
        slower = min(done.values())
        # As much of the CPU as so many frames of each took.
        shares = {half: cpu[half] * slower / done[half] for half in _HALVES}
        return Turn(
            seconds=seconds,
            frames=slower,
            illegible=0,
            repeated=0,
            missing=0,
            latencies=(),
            cpu=shares,
            memory=dict.fromkeys(_HALVES, 0),
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("half", choices=_HALVES)
    parser.add_argument("--seconds", type=float, required=True)
    add_pictures(parser)
    arguments = parser.parse_args()
    images = load(arguments)
    jpegs = [codec.encode(image, QUALITY) for image in images]
    encodes = arguments.half == "encode"
    done, cpu, end = 0, time.process_time(), time.monotonic() + arguments.seconds
    while time.monotonic() < end:
        if encodes:
            codec.encode(images[done % len(images)], QUALITY)
        else:
            codec.decode(jpegs[done % len(jpegs)])
        done += 1
    print(done, time.process_time() - cpu, file=sys.stderr)


if __name__ == "__main__":
    main()
