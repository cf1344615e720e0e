"""Every benchmark, one after the other, and the table of what came out; an hour and more.

On a machine that does nothing else. Rivals that are not installed are left out.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

from tqdm import tqdm

from benchmarks import table
from benchmarks.measuring.program import ROOT
from benchmarks.measuring.summary import RESULTS

#: By how much they tell, and whether they take --clip.
NAMES = {
    "latency": True,
    "throughput": True,
    "transports": True,
    "udp": True,
    "carriers": True,
    "scale": True,
    "raw": True,
    "ingest": True,
    "answer": True,
    "hooks": True,
    "cameras": True,
    "viewers": True,
    "wall": False,
    "recording": False,
    "passthrough": True,
    "far": False,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--clip", help="a video whose pictures are used; default: test pattern")


def run(arguments: argparse.Namespace) -> int:
    failed = []
    for name, takes_clip in tqdm(NAMES.items(), "benchmarks", disable=not sys.stderr.isatty()):
        tqdm.write(f"\n{name}")
        clip = [f"--clip={arguments.clip}"] if arguments.clip and takes_clip else []
        line = [sys.executable, "-m", "benchmarks", name, *clip]
        if subprocess.run(line, cwd=ROOT, check=False).returncode != 0:
            failed.append(name)
    print()
    status = table.run(argparse.Namespace(results=RESULTS))
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else status
