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
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from tests.mutation import report
from tests.mutation.copy import copy_to
from tests.mutation.modules import HELD_BY
from tests.mutation.mutant import TOLD, Mutant
from tests.mutation.progress import Progress


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    arguments.add_argument(
        "modules",
        nargs="*",
        metavar="MODULE",
        help="such as shared/jpeg.py, or a part of its name; without any, all of --list",
    )
    arguments.add_argument(
        "--list", action="store_true", help="say which there are, and their tests"
    )
    wanted = arguments.parse_args()
    if wanted.list:
        for module, tests in HELD_BY.items():
            print(f"{module:36} {' '.join(tests)}")
        return 0
    try:
        modules = named(wanted.modules)
    except ValueError as exc:
        arguments.error(str(exc))
    if importlib.util.find_spec("mutmut") is None:
        print(
            "mutmut is not installed; to try mutants: "
            "python -m pip install -r requirements-mutation.txt",
            file=sys.stderr,
        )
        return 2
    print(report.HEAD)
    try:
        bad = [module for module in modules if not _try(module)]
    except KeyboardInterrupt:
        print("stopped; the modules that were finished are written down", file=sys.stderr)
        return 130
    return 1 if bad else 0


def named(parts: Sequence[str]) -> list[str]:
    """Return the modules with one of these in their name, all of them where there is none.

    A whole name is only that module. Raise ValueError for a part that is in none.
    """
    found: set[str] = set()
    for part in parts:
        those = {part} if part in HELD_BY else {module for module in HELD_BY if part in module}
        if not those:
            raise ValueError(f"MODULE: expected one of --list or a part of its name, got {part!r}")
        found |= those
    return [module for module in HELD_BY if module in found or not parts]


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
    mutants: list[Mutant] = []
    expected = -1
    others: deque[str] = deque(maxlen=60)
    with (
        Progress(module) as progress,
        subprocess.Popen(
            [sys.executable, "-m", "tests.mutation.forks", module, *HELD_BY[module]],
            cwd=folder,
            # Other plugins of pytest than ours would only be imported; threads do not outlive a
            # fork.
            env={
                **os.environ,
                "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
                "OMP_NUM_THREADS": "1",
                "OPENBLAS_NUM_THREADS": "1",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as forks,
    ):
        assert forks.stdout is not None
        for line in forks.stdout:
            if not line.startswith(TOLD):
                others.append(line)
                continue
            told = json.loads(line.removeprefix(TOLD))
            if isinstance(told, int):
                expected = told
                progress.expect(told)
            else:
                mutants.append(Mutant(*told))
                progress.tried(mutants[-1])
    if forks.returncode != 0 or len(mutants) != expected:
        raise RuntimeError(f"{module}: {''.join(others)[-4000:]}")
    return mutants


if __name__ == "__main__":
    sys.exit(main())
