"""Fuzz one target after the other, each for its share of the time; 1 means that one was hurt."""

from __future__ import annotations

import argparse
import importlib.util
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fuzz.targets import TARGETS

_RUNS = re.compile(r"stat::number_of_executed_units:\s*(\d+)")
INSTALL = "python -m pip install -r requirements-fuzz.txt"
_ROOT = Path(__file__).parent.parent.parent


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    arguments.add_argument("targets", nargs="*", help=f"which: {', '.join(TARGETS)}; all of them")
    arguments.add_argument("--seconds", type=int, default=200, help="in all; 200")
    arguments.add_argument("--findings", type=Path, default=Path(tempfile.gettempdir()))
    wanted = arguments.parse_args()
    names = wanted.targets or list(TARGETS)
    if unknown := set(names) - set(TARGETS):
        arguments.error(f"expected targets of {', '.join(TARGETS)}, got {', '.join(unknown)}")
    if importlib.util.find_spec("atheris") is None:
        print(f"atheris is not installed; to fuzz: {INSTALL}", file=sys.stderr)
        return 2
    share = max(1, wanted.seconds // len(names))
    hurt = [name for name in names if fuzz(name, share, wanted.findings) is None]
    if hurt:
        print(f"found something in {', '.join(hurt)}; the inputs are in {wanted.findings}")
    return 1 if hurt else 0


def fuzz(name: str, seconds: int, findings: Path) -> int | None:
    """Fuzz one target and print a line; return how often it was run.

    None, and what happened on stderr, when it was hurt.
    """
    with tempfile.TemporaryDirectory() as corpus:
        command = [sys.executable, "-m", "tests.fuzz.child", name, str(seconds), corpus]
        command.append(str(findings.resolve()))
        done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)
        kept = len(list(Path(corpus).iterdir()))
    runs = _RUNS.search(done.stderr)
    is_sound = done.returncode == 0 and runs is not None
    count = runs[1] if runs else "?"
    print(
        f"{name:12} {count:>10} runs  {kept:>5} kept  {'sound' if is_sound else 'HURT'}", flush=True
    )
    if not is_sound:
        print((done.stdout + done.stderr)[-4000:], file=sys.stderr)
    return int(runs[1]) if is_sound and runs else None


if __name__ == "__main__":
    sys.exit(main())
