from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest

from benchmarks.measuring.program import ROOT
from tests.conftest import missing

_PROGRAM = """
import json, socket
from benchmarks.measuring.wire import Wire

wire = Wire()
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
    end.bind(("127.0.0.1", 0))
    end.setblocking(False)

    def arrived():
        count = 0
        for _ in range(1000):
            end.sendto(b"x" * 1400, end.getsockname())
            try:
                end.recv(2000)
                count += 1
            except BlockingIOError:
                pass
        return count

    counts = [arrived()]
    wire.lose(0.2)
    counts.append(arrived())
    wire.lose(0)
    print(json.dumps([*counts, arrived()]))
"""


def test_a_wire_loses_what_it_is_told_and_nothing_else() -> None:
    if os.geteuid() != 0 or shutil.which("iptables") is None or shutil.which("ip") is None:
        missing("iptables, as root", "apt-get install iproute2 iptables")

    ended = subprocess.run(
        [sys.executable, "-c", _PROGRAM], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert ended.stderr == ""
    before, lossy, after = json.loads(ended.stdout)
    assert (before, after) == (1000, 1000)
    # Of a thousand, 800 ± 13; out of these bounds once in 10^14 runs.
    assert 700 < lossy < 900


_THIN = """
import socket
from benchmarks.measuring.wire import Wire

wire = Wire()
wire.thin("1mbit", "32kb")
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
    end.bind(("127.0.0.1", 0))
    for _ in range(1000):
        end.sendto(b"x" * 1400, end.getsockname())
    end.settimeout(1)
    count = 0
    try:
        while end.recv(2000):
            count += 1
    except TimeoutError:
        print(count)
"""


def test_a_thin_wire_loses_what_its_queue_does_not_hold() -> None:
    if os.geteuid() != 0 or shutil.which("iptables") is None or shutil.which("tc") is None:
        missing("iptables and tc, as root", "apt-get install iproute2 iptables")

    ended = subprocess.run(
        [sys.executable, "-c", _THIN], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert ended.stderr == ""
    # What fits into the queue and the bucket, and the 90 a second that pass meanwhile.
    assert 20 < int(ended.stdout) < 900


def test_a_wire_that_cannot_be_made_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks.measuring.wire import Wire

    monkeypatch.setenv("PATH", "")

    with pytest.raises(OSError, match="ip is missing; apt-get install iproute2"):
        Wire()
