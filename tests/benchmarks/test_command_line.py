from __future__ import annotations

import argparse
import subprocess
import sys

from benchmarks import every
from benchmarks.__main__ import BENCHMARKS
from benchmarks.measuring.program import ROOT

#: What requirements-bench.txt has beyond requirements-dev.txt, and what comes with it.
RIVALS = ("imagezmq", "litserve", "matplotlib", "uvicorn", "vidgear", "zmq")


def test_every_runs_all_that_compare_and_knows_who_takes_a_clip() -> None:
    takes = {}
    for name, module in BENCHMARKS.items():
        parser = argparse.ArgumentParser()
        module.add_arguments(parser)
        takes[name] = "--clip" in parser.format_help()

    assert {name: takes[name] for name in every.NAMES} == every.NAMES
    assert set(BENCHMARKS) - set(every.NAMES) == {"every", "quick", "table"}


def test_the_command_line_needs_no_rival() -> None:
    program = (
        "import sys\n"
        f"sys.modules.update(dict.fromkeys({RIVALS!r}))\n"
        "from benchmarks.__main__ import main\n"
        "main(['--help'])\n"
    )

    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert (ended.returncode, ended.stderr) == (0, "")
    assert "quick" in ended.stdout
