"""Soak: hours of real frames with a fault every two minutes, and what each process grew by.

`python -m tests.survive.soak --minutes 60`, ends with 1 where something grew or did not recover.
The hour begins when all has been there several times, ten minutes or so after the start.
Four simulated cameras in this process; a sender and a receiver with four hooks as programs. One of
the hooks leaks on purpose, 100 kB a minute: what does not find that proves nothing of the others.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.survive.soak.plan import Plan
from tests.survive.soak.report import record, show
from tests.survive.soak.soak import soak


def main(argv: Sequence[str]) -> int:
    parser = ArgumentParser(prog="python -m tests.survive.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--result", type=Path, help="JSON file for what was seen")
    arguments = parser.parse_args(argv)
    plan = Plan.of(arguments.minutes)
    with TemporaryDirectory() as folder:
        report = soak(
            plan,
            seed=arguments.seed,
            folder=Path(folder),
            say=lambda text: print(text, flush=True),
        )
    show(report)
    if arguments.result is not None:
        record(arguments.result, report, plan, arguments.seed)
    return 1 if report.broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
