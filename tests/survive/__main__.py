"""Run trials one after the other and say which promise was kept: `make survive`.

1 means that one was broken, or that one was kept although its defence had been taken away.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.survive import catalogue, record
from tests.survive.record import Outcome
from tests.survive.trial import Broken, Figures, Run, Trial, Unable


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.survive", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="TRIAL", help="which; all of them")
    parser.add_argument("--seed", type=int, default=1, help="of all that is random; 1")
    parser.add_argument("--quick", action="store_true", help="seconds instead of minutes each")
    parser.add_argument(
        "--disarmed", action="store_true", help="take the defences away: each must break"
    )
    parser.add_argument("--list", action="store_true", help="say which there are, and end")
    wanted = parser.parse_args(arguments)
    trials = catalogue.every()
    if unknown := set(wanted.names) - set(trials):
        parser.error(
            f"expected trials of those that --list names, got {', '.join(sorted(unknown))}"
        )
    chosen = [trials[name] for name in wanted.names or trials]
    if wanted.disarmed:
        chosen = [trial for trial in chosen if trial.disarm is not None]
    if wanted.list:
        for trial in chosen:
            print(f"{trial.name:28} {trial.promise}")
        return 0
    right = 0
    for trial in chosen:
        right += attempt(trial, seed=wanted.seed, quick=wanted.quick, disarmed=wanted.disarmed)
    if wanted.disarmed:
        print(f"{right} of {len(chosen)} promises were broken without their defence, as they must")
    else:
        print(f"{right} of {len(chosen)} promises kept; what they saw is in {record.FOLDER}")
    return 0 if right == len(chosen) else 1


def attempt(trial: Trial, *, seed: int, quick: bool, disarmed: bool) -> bool:
    """Run it, print a line, enter it in the record; say whether it went as it should."""
    with tempfile.TemporaryDirectory(prefix="framepost-") as folder:
        run = Run(
            seed=seed,
            folder=Path(folder),
            quick=quick,
            disarmed=disarmed,
            say=lambda text: print(f"  {text}", file=sys.stderr, flush=True),
        )
        outcome = watch(trial, run)
    record.enter(trial, run, outcome)
    goal = "broken" if disarmed else "kept"
    is_right = outcome.state == goal
    figures = " ".join(f"{name}={value}" for name, value in outcome.figures.items())
    print(
        f"{trial.name:28} {outcome.state:7} {outcome.seconds:7.1f} s"
        f"  {outcome.sentence or figures}{'' if is_right else f'   EXPECTED {goal}'}",
        flush=True,
    )
    return is_right


def watch(trial: Trial, run: Run) -> Outcome:
    """Run it and return what came of it; what a trial does not name is raised."""
    started = time.monotonic()
    figures: Figures = {}
    state, sentence = "kept", ""
    try:
        figures = trial.run(run)
    except Broken as exc:
        state, sentence = "broken", str(exc)
    except Unable as exc:
        state, sentence = "unable", str(exc)
    return Outcome(state, sentence, round(time.monotonic() - started, 1), figures)


if __name__ == "__main__":
    sys.exit(main())
