"""Many callers who wait, on the real server: they keep nobody out and leave nothing behind."""

from __future__ import annotations

import http.client
import json
import socket
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from receiver.server import THREADS
from shared import codec, pattern
from tests.program import Receiver
from tests.receiver.bench import wait_until

JPEG = codec.encode(pattern.draw(5, 160, 120), 80)


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """A hook that answers once this file is there."""
    (tmp_path / "gated.py").write_text(
        "import time\nfrom pathlib import Path\n"
        "def process(frame):\n"
        "    while not Path(__file__).with_name('open').exists():\n"
        "        time.sleep(0.01)\n"
        "    return frame.seq\n"
    )
    return tmp_path / "open"


@pytest.fixture
def receiver(gate: Path) -> Iterator[Receiver]:
    arguments = ["--hook", "gated", "--hook-path", str(gate.parent), "--hook-timeout", "60"]
    with Receiver(*arguments, "--max-queue", "2000") as receiver:
        receiver.wait_for("is ready")
        yield receiver


def ask(receiver: Receiver, query: str = "", prefer: str = "wait=60") -> socket.socket:
    """Post a frame and wait for nothing."""
    line = socket.create_connection(("127.0.0.1", receiver.port), 10)
    head = (
        f"POST /cameras/cam1/frames{query} HTTP/1.1\r\nHost: x\r\nPrefer: {prefer}\r\n"
        f"Content-Type: image/jpeg\r\nContent-Length: {len(JPEG)}\r\n\r\n"
    )
    line.sendall(head.encode() + JPEG)
    return line


def answer(line: socket.socket) -> tuple[int, str]:
    """Return the status and the state, and hang up."""
    with line:
        line.settimeout(20)
        response = http.client.HTTPResponse(line)
        response.begin()
        said = json.loads(response.read())
        response.close()
        return response.status, said["state"]


def wait_until_received(receiver: Receiver, count: int) -> None:
    def received() -> bool:
        answer = requests.get(f"{receiver.url}/cameras/cam1", timeout=30)
        return answer.ok and answer.json()["received"] >= count

    wait_until(f"{count} frames", received)


def test_more_waiting_callers_than_threads_do_not_keep_frames_out(
    receiver: Receiver, gate: Path
) -> None:
    callers = THREADS + 50
    waiting = [ask(receiver, "?mode=every") for _ in range(callers)]
    wait_until_received(receiver, callers)

    assert answer(ask(receiver, prefer="respond-async")) == (202, "accepted")

    gate.touch()
    answers = Counter(answer(line) for line in waiting)
    seats = THREADS - 100 - 64  # less the default's viewers, and the threads for short requests
    # Those for whom there was no thread to wait on were told at once.
    assert answers == {(200, "processed"): seats, (202, "accepted"): callers - seats}


def test_callers_who_hang_up_leave_nothing_behind(receiver: Receiver, gate: Path) -> None:
    for line in [ask(receiver, "?mode=every") for _ in range(THREADS)]:
        line.close()
    assert answer(ask(receiver, prefer="respond-async")) == (202, "accepted")
    gate.touch()

    # Their frames have had their turn, and every seat is free again.
    wait_until("a seat", lambda: answer(ask(receiver, "?mode=every")) == (200, "processed"))
    again = [ask(receiver, "?mode=every") for _ in range(300)]
    assert Counter(answer(line) for line in again) == {(200, "processed"): 300}
