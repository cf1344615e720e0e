"""Many frames in one request, on the real server: answers while the body goes on, and bounds."""

from __future__ import annotations

import json
import select
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from receiver.server import THREADS
from shared import codec, pattern
from tests.conftest import missing
from tests.program import Receiver
from tests.receiver.bench import wait_until
from tests.receiver.talker import Talker, part

JPEG = codec.encode(pattern.draw(5, 160, 120), 80)
VIEWERS = 384
SEATS = THREADS - VIEWERS - 64
MAX_BYTES = 1_000_000


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    arguments = ["--hook", "tests.witness:Witness", "--max-bytes", str(MAX_BYTES)]
    with Receiver(*arguments, "--max-viewers", str(VIEWERS)) as receiver:
        receiver.wait_for("is ready")
        yield receiver


def seen(receiver: Receiver, camera: str) -> dict[str, Any]:
    answer = requests.get(f"{receiver.url}/cameras/{camera}", timeout=30)
    content: dict[str, Any] = answer.json()
    return content if answer.ok else {}


def flood(talker: Talker, data: bytes, count: int) -> None:
    for _ in range(count):
        talker.send(data)


def test_the_answer_begins_before_the_first_part_and_each_line_comes_at_once(
    receiver: Receiver,
) -> None:
    with Talker(receiver.port, "talk") as talker:
        assert talker.begin() == 200
        for seq in range(3):
            line = talker.ask(part(seq))
            assert (line["seq"], line["status"], line["state"]) == (seq, 202, "accepted")
        talker.end()

        assert talker.read() is None


def test_with_a_wait_each_line_is_the_result_of_its_part(receiver: Receiver) -> None:
    with Talker(receiver.port, "wait", Prefer="wait=10") as talker:
        talker.begin()
        for seq in (3, 5, 9):
            line = talker.ask(part(seq))
            assert (line["state"], line["result"]["number"]) == ("processed", seq)


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(b"--frame\r\n\r\n", id="without a length"),
        pytest.param(b"--frame\r\nContent-Length: %d\r\n\r\n", id="with one"),
        pytest.param(b"--frame\ncontent-length:%d\n\n", id="bare line feeds"),
    ],
)
def test_a_part_is_taken_with_its_last_byte(receiver: Receiver, form: bytes) -> None:
    with Talker(receiver.port, "last") as talker:
        talker.begin()
        for jpeg in (JPEG, JPEG, codec.encode(pattern.draw(5, 64, 48), 20)):
            talker.send(form.replace(b"%d", str(len(jpeg)).encode()))
            talker.send(jpeg[:50])
            assert talker.ask(jpeg[50:])["state"] == "accepted"
            talker.send(b"\r\n")


def test_the_end_mark_ends_the_answer_though_the_body_goes_on(receiver: Receiver) -> None:
    with Talker(receiver.port, "mark", lines=False) as talker:
        talker.send(part(1) + b"--frame--")

        assert talker.begin() == 200
        assert talker.read()["accepted"] == 1


def test_a_client_that_reads_nothing_until_the_end_is_not_held_up(receiver: Receiver) -> None:
    count = 4000
    with Talker(receiver.port, "deaf", lines=False) as talker:
        talker.send(b"".join(part(seq, JPEG) for seq in range(count)))
        wait_until("all frames", lambda: seen(receiver, "deaf").get("received") == count)
        talker.end()
        talker.begin()

        assert talker.read()["accepted"] == count


def test_a_client_that_does_not_read_its_lines_blocks_only_itself(receiver: Receiver) -> None:
    with Talker(receiver.port, "stuck") as talker:
        talker.line.settimeout(0.5)
        with pytest.raises(TimeoutError):
            flood(talker, part(1, b"no picture"), 1_000_000)

        with Talker(receiver.port, "free", Prefer="wait=10") as other:
            other.begin()
            assert other.ask(part(1))["state"] == "processed"


def test_a_part_of_a_gigabyte_is_refused_before_it_is_read(receiver: Receiver) -> None:
    server = max(psutil.Process(receiver.pid).children(), key=lambda child: child.num_threads())
    before = server.memory_info().rss
    with Talker(receiver.port, "giant", lines=False) as talker:
        talker.send(part(1) + b"--frame\r\nContent-Length: 1000000000\r\n\r\n")

        assert talker.begin() == 413
        assert "a part of 1000000000 bytes; at most 1000000 are taken" in talker.read()["detail"]

    # Nobody says how long it is, either.
    with Talker(receiver.port, "giant", lines=False) as talker:
        talker.line.settimeout(10)
        talker.send(b"--frame\r\n\r\n" + JPEG[:-2])
        with pytest.raises(ConnectionError):
            flood(talker, bytes(1_000_000), 500)
    assert server.memory_info().rss - before < 60 << 20


def test_streams_take_seats_and_leave_them(receiver: Receiver) -> None:
    talkers = [Talker(receiver.port, "seats") for _ in range(SEATS)]
    assert {talker.begin() for talker in talkers} == {200}
    with Talker(receiver.port, "seats") as refused:
        assert refused.begin() == 503
        assert refused.response.headers["Retry-After"] == "5"
    # A short request needs no seat.
    answer = requests.post(f"{receiver.url}/cameras/seats/frames", JPEG, timeout=30)
    assert answer.status_code == 202

    for number, talker in enumerate(talkers):
        if number % 2:
            talker.end()
        talker.__exit__(None, None, None)

    def is_free() -> bool:
        with Talker(receiver.port, "seats") as talker:
            return talker.begin() == 200

    wait_until("a seat", is_free)


def test_a_client_that_hangs_up_within_a_part_is_counted(receiver: Receiver) -> None:
    def refused() -> int:
        found: int = seen(receiver, "cut").get("refused", 0)
        return found

    with Talker(receiver.port, "cut") as talker:
        talker.begin()
        talker.ask(part(1))
        talker.send(part(2)[:-500])
    wait_until("the refusal", lambda: refused() == 1)


def test_a_peer_that_vanishes_would_be_noticed(receiver: Receiver) -> None:
    table = Path("/proc/net/tcp")
    if not table.exists():
        pytest.skip("only Linux shows its sockets' timers")
    with Talker(receiver.port, "gone") as talker:
        talker.begin()
        ours = f":{talker.line.getsockname()[1]:04X}"
        timers = [
            line.split()[5].split(":")[0]
            for line in table.read_text().splitlines()
            if line.split()[2].endswith(ours)
        ]

    assert timers == ["02"], "the server's end has no keep-alive timer"


@pytest.fixture
def ending() -> Iterator[Receiver]:
    """A receiver with a stream that says nothing, which it cannot wait for."""
    with Receiver() as receiver, Talker(receiver.port, "silent") as silent:
        silent.begin()
        yield receiver
        assert receiver.wait(seconds=7) == 0
        assert "Traceback" not in receiver.output
        assert "killed" not in receiver.output
        assert silent.read() is None


def test_a_receiver_that_stops_says_so_in_a_line(ending: Receiver) -> None:
    with Talker(ending.port) as talker:
        talker.begin()
        line = talker.ask(part(0))
        assert line["state"] == "accepted"
        ending.signal(signal.SIGTERM)
        seq = 0
        while line["state"] == "accepted":
            seq += 1
            line = talker.ask(part(seq, JPEG))

        assert (line["status"], line["retry_after"]) == (503, 1)
        assert talker.read() is None


def test_a_receiver_that_stops_says_so_in_the_answer(ending: Receiver) -> None:
    with Talker(ending.port, lines=False) as talker:
        talker.send(part(0))
        wait_until("a frame", lambda: seen(ending, "cam1").get("received") == 1)
        ending.signal(signal.SIGTERM)
        with suppress(ConnectionError):
            while not select.select([talker.line], [], [], 0)[0]:
                talker.send(part(1, JPEG))

        assert talker.begin() == 503


def ffmpeg(*arguments: str) -> list[str]:
    if shutil.which("ffmpeg") is None:
        missing("ffmpeg", "apt-get install ffmpeg")
    source = ["-f", "lavfi", "-i", "testsrc=size=320x180:rate=25"]
    return ["ffmpeg", "-v", "error", "-nostdin", *source, *arguments]


def test_ffmpeg_sends_its_frames_as_it_is(receiver: Receiver) -> None:
    url = f"{receiver.url}/cameras/ffmpeg/stream"
    done = subprocess.run(
        ffmpeg("-t", "1", "-f", "mpjpeg", url), capture_output=True, text=True, timeout=30
    )

    assert (done.returncode, done.stderr) == (0, "")
    wait_until("the frames", lambda: seen(receiver, "ffmpeg").get("received") == 25)


def test_curl_passes_on_what_ffmpeg_writes(receiver: Receiver, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        missing("curl", "apt-get install curl")
    clip = tmp_path / "clip.mjpeg"
    subprocess.run(ffmpeg("-t", "1", "-f", "mpjpeg", str(clip)), check=True, timeout=30)
    with clip.open("rb") as body:
        done = subprocess.run(
            ["curl", "-sS", "-X", "POST", "-T", "-", f"{receiver.url}/cameras/curl/stream"],
            stdin=body,
            capture_output=True,
            text=True,
            timeout=30,
        )

    assert done.stderr == ""
    assert json.loads(done.stdout) == {
        "camera": "curl",
        "received": 25,
        "accepted": 25,
        "superseded": 0,
        "duplicate": 0,
        "refused": 0,
    }


def test_a_body_with_a_length_is_a_stream_too(receiver: Receiver) -> None:
    body = b"".join(part(seq) for seq in range(5))

    answer = requests.post(f"{receiver.url}/cameras/whole/stream", body, timeout=30)

    assert answer.json()["accepted"] == 5


def test_a_refused_stream_is_answered_though_the_client_goes_on(receiver: Receiver) -> None:
    with socket.create_connection(("127.0.0.1", receiver.port), 10) as line:
        head = "POST /cameras/x/stream HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\n"
        line.sendall(head.encode() + b"Content-Length: 100\r\n\r\nabc")

        assert line.recv(100).startswith(b"HTTP/1.1 415")
