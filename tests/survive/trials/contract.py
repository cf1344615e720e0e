"""Contract: what a receiver answers is what its document says, to whatever is asked."""

from __future__ import annotations

import os
import re
import subprocess
import sys

from tests.program import ROOT
from tests.survive.trial import Figures, Run, Trial

_LEAST = 5000


def contract(run: Run) -> Figures:
    """Have Schemathesis make requests of docs/openapi.yaml, and compare all answers with it.

    By tests/test_contract.py, which every run of the tests has a few of.
    """
    command = [sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider"]
    command += [f"--hypothesis-seed={run.seed}", "tests/test_contract.py", "-k", "every_answer"]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "FRAMEPOST_EXAMPLES": "1" if run.quick else "160"},
        capture_output=True,
        text=True,
        check=False,
    )
    return read(run, done.returncode, done.stdout + done.stderr)


def read(run: Run, status: int, said: str) -> Figures:
    """Return the figures of what pytest said; raise Broken where it was not content."""
    # What is longer shows a picture's bytes.
    brief = "\n".join(line for line in said.splitlines() if len(line) < 200)
    run.check(status == 0, brief[-4000:])
    operations = re.search(r"(\d+) passed", said)
    requested = re.search(r"(\d+) requests were answered", said)
    assert operations, said
    assert requested, said
    requests = int(requested[1])
    if not run.quick:
        run.check(requests >= _LEAST, f"there were {requests} requests, expected {_LEAST}")
    return {"operations": int(operations[1]), "requests": requests}


TRIALS = [
    Trial(
        "contract-of-http",
        "of at least 5,000 requests made up after docs/openapi.yaml none is answered 5xx, and each"
        " as the document says",
        contract,
    )
]
