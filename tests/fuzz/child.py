"""The process that fuzzes one target; libFuzzer ends it in time, or when it found something."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path


def main(name: str, seconds: int, corpus: Path, findings: Path) -> None:
    """Fuzz target `name`; never returns. Inputs are collected in `corpus`."""
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["sender.rtsp", "sender.spool", "receiver", "shared"]):
        targets = importlib.import_module("tests.fuzz.targets")
    target = targets.TARGETS[name]
    for place, seed in enumerate(target.start(name)):
        (corpus / f"seed-{place}").write_bytes(seed)
    options = (
        f"-max_total_time={seconds}",
        f"-artifact_prefix={findings}/{name}-",
        "-print_final_stats=1",
        "-timeout=10",
        "-rss_limit_mb=2048",
        "-max_len=4096",
    )
    atheris.Setup([sys.argv[0], str(corpus), *options], target.run)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4]))
