"""The demo's edges; that it works is shown by the tests of the whole line."""

from __future__ import annotations

import shutil
import signal
import subprocess

import psutil

from tests.conftest import missing
from tests.program import ROOT, Program


def test_a_closed_terminal_leaves_nothing_behind() -> None:
    with Program("camera.demo", "--port", "0", "--source", "testsrc") as demo:
        demo.wait_for(r"open http", seconds=40)
        family = psutil.Process(demo.pid).children(recursive=True)
        assert demo.stop(signal.SIGHUP) == 0
        _, alive = psutil.wait_procs(family, timeout=30)
        for process in alive:
            process.kill()

    assert alive == []


def test_make_hands_on_a_source_as_it_was_written() -> None:
    make = shutil.which("make")
    if make is None:
        missing("make", "apt-get install make")
    assert make is not None
    source = "rtsp://u:a$bc'd\"$(e)@h/x?a=1&b=2"
    shown = subprocess.run(
        [make, "-s", "-f", "Makefile", "-f", "/dev/stdin", "show", f"SOURCE={source}"],
        input="show:\n\t@printenv SENDER_SOURCE\n",
        cwd=ROOT, capture_output=True, text=True, timeout=20, check=True,
    )  # fmt: skip

    assert shown.stdout == f"{source}\n"
