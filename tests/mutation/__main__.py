"""Change the product a little, many times, and count how often a test notices.

1 means that too few of a module's mutants were noticed, or that one could not be tried.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.mutation import report
from tests.mutation.copy import copy_to
from tests.mutation.modules import HELD_BY
from tests.mutation.mutant import Mutant


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    arguments.add_argument("modules", nargs="*", help="such as shared/jpeg.py; all of --list")
    arguments.add_argument(
        "--list", action="store_true", help="say which there are, and their tests"
    )
    wanted = arguments.parse_args()
    if wanted.list:
        for module, tests in HELD_BY.items():
            print(f"{module:36} {' '.join(tests)}")
        return 0
    modules = wanted.modules or list(HELD_BY)
    if unknown := set(modules) - set(HELD_BY):
        arguments.error(f"expected modules of --list, got {', '.join(sorted(unknown))}")
    if importlib.util.find_spec("mutmut") is None:
        print(
            "mutmut is not installed; to try mutants: "
            "python -m pip install -r requirements-mutation.txt",
            file=sys.stderr,
        )
        return 2
    print(report.HEAD)
    bad = [module for module in modules if not _try(module)]
    return 1 if bad else 0


def _try(module: str) -> bool:
    """Try one module and print its row; False where that is not as it should be."""
    with tempfile.TemporaryDirectory(prefix="framepost-mutants-") as folder:
        copy_to(Path(folder))
        try:
            mutants = run(module, Path(folder))
        except RuntimeError as exc:
            print(exc, file=sys.stderr)
            return False
    score = report.score(module, HELD_BY[module], mutants)
    kept = report.keep(module, score)
    scores = {name: kept["modules"][name] for name in HELD_BY if name in kept["modules"]}
    report.write_page(scores)
    print(score.row(module), flush=True)
    for left in score.left:
        print(f"  {left['place']}\n    - {left['before']}\n    + {left['after']}")
    stale = report.stale(module, mutants)
    for after in stale:
        print(f"  {module}: equivalents has what is no survivor: {after}")
    if score.percent < report.LEAST:
        print(f"  {module}: expected {report.LEAST:.0f} %, got {score.percent:.1f} %", flush=True)
    return score.percent >= report.LEAST and not stale


def run(module: str, folder: Path) -> list[Mutant]:
    """Try the module in the copy in `folder`; raise RuntimeError where that is impossible."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.mutation.forks", module, *HELD_BY[module]],
        cwd=folder,
        # Other plugins of pytest than ours would only be imported; threads do not outlive a fork.
        env={
            **os.environ,
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{module}: {(done.stdout + done.stderr)[-4000:]}")
    return [Mutant(*each) for each in json.loads(done.stdout.splitlines()[-1])]


if __name__ == "__main__":
    sys.exit(main())
