"""Results from a real receiver with a real hook, read and posted over real sockets."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from tests.conftest import MakeFrame
from tests.program import Receiver
from tests.receiver.bench import wait_until
from tests.sender.doubles import PostServer, http_reply
from tests.sse import EventStream

HOOK = """
def process(frame):
    return {"pad": "x" * PAD}
"""


class Source:
    """Posts numbered frames over one connection, each when the one before has its result."""

    def __init__(self, receiver: Receiver, jpeg: bytes, camera: str = "cam1") -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", receiver.port, timeout=30)
        self._path = f"/cameras/{camera}/frames?mode=every"
        self._jpeg = jpeg
        self.seq = -1

    def post(self, count: int = 1) -> None:
        for _ in range(count):
            self.seq += 1
            headers = {
                "Content-Type": "image/jpeg",
                "X-Frame-Epoch": "e1",
                "X-Frame-Seq": str(self.seq),
                "Prefer": "wait=10",
            }
            self._connection.request("POST", self._path, self._jpeg, headers)
            answer = self._connection.getresponse()
            body = json.loads(answer.read())
            assert body.get("state") == "processed", body

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def start(
    stack: ExitStack, folder: Path, *arguments: str, pad: int = 0, viewers: int = 100
) -> Receiver:
    (folder / "pad_hook.py").write_text(HOOK.replace("PAD", str(pad)), encoding="utf-8")
    receiver = stack.enter_context(
        Receiver(
            *("--hook", "pad_hook", "--hook-path", str(folder), "--isolation", "thread"),
            *("--max-viewers", str(viewers), *arguments),
        )
    )
    receiver.wait_for("ready")
    return receiver


def source(stack: ExitStack, receiver: Receiver, make_frame: MakeFrame, camera: str) -> Source:
    made = Source(receiver, make_frame().data, camera)
    stack.callback(made.close)
    return made


def metric(receiver: Receiver, name: str) -> float:
    text = requests.get(f"{receiver.url}/metrics", timeout=30).text
    return float(next(line for line in text.splitlines() if line.startswith(name)).split()[-1])


def test_a_reader_that_lost_its_connection_comes_back_and_loses_nothing(
    stack: ExitStack, tmp_path: Path, make_frame: MakeFrame
) -> None:
    receiver = start(stack, tmp_path)
    camera = source(stack, receiver, make_frame, "cam1")
    came: list[int] = []
    last = None
    for _ in range(5):
        with EventStream(receiver.port, after=last) as stream:
            camera.post(7)
            came += [event.data["seq"] for event in stream.take(7 if last else 4)]
            last = stream.last_id
        camera.post(3)  # nobody reads
    with EventStream(receiver.port, after=last) as stream:
        came += [event.data["seq"] for event in stream.take(camera.seq - came[-1])]

    assert came == list(range(50))
    assert stream.retry == 1000


def test_an_event_is_the_newest_result_as_the_other_routes_tell_it(
    stack: ExitStack, tmp_path: Path, make_frame: MakeFrame
) -> None:
    receiver = start(stack, tmp_path, pad=3)
    source(stack, receiver, make_frame, "door").post(2)
    source(stack, receiver, make_frame, "yard").post(1)

    with EventStream(receiver.port, "/events?camera=door") as stream:
        (event,) = stream.take(1)

    assert event.kind == "result"
    assert event.data == requests.get(f"{receiver.url}/cameras/door/result", timeout=30).json()
    assert (event.data["seq"], event.data["result"]) == (1, {"pad": "xxx"})


def test_a_stuck_reader_harms_nobody_and_goes_on_with_the_newest(
    stack: ExitStack, tmp_path: Path, make_frame: MakeFrame
) -> None:
    receiver = start(stack, tmp_path, pad=40_000)
    camera = source(stack, receiver, make_frame, "cam1")
    reader = stack.enter_context(EventStream(receiver.port))
    stuck = stack.enter_context(EventStream(receiver.port))
    seen: list[int] = []

    def read() -> None:
        for event in reader:
            seen.append(event.data["seq"])
            if seen[-1] == 1700:
                return

    thread = threading.Thread(target=read)
    thread.start()
    camera.post(1701)
    thread.join(30)
    assert seen == list(range(1701))

    # What had been sent already comes first, in order; then the rest is left out.
    got = 0
    for event in stuck:
        if event.kind == "skipped":
            assert event.data["reason"] == "slow"
            skipped = event.data["skipped"]
            break
        assert event.data["seq"] == got
        got += 1
    (newest,) = stuck.take(1)
    assert newest.data["seq"] == 1700
    assert got + skipped + 1 == 1701
    assert metric(receiver, "framepost_events_skipped_total") == skipped

    camera.post(2)
    assert [event.data["seq"] for event in stuck.take(2)] == [1701, 1702]


def test_readers_that_vanish_give_their_seats_back(
    stack: ExitStack, tmp_path: Path, make_frame: MakeFrame
) -> None:
    receiver = start(stack, tmp_path)
    camera = source(stack, receiver, make_frame, "cam1")
    for n in range(30):
        reader = socket.create_connection(("127.0.0.1", receiver.port), timeout=30)
        reader.sendall(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
        if n % 2:
            reader.recv(10)
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        reader.close()

    def gone() -> bool:
        camera.post()
        return metric(receiver, "framepost_event_readers") == 0

    wait_until("the seats", gone)


def test_readers_are_bounded_and_frames_come_in_all_the_same(
    stack: ExitStack, tmp_path: Path, make_frame: MakeFrame
) -> None:
    # 384 viewers leave 64 seats to those who stay.
    receiver = start(stack, tmp_path, viewers=384)
    camera = source(stack, receiver, make_frame, "cam1")
    readers = [stack.enter_context(EventStream(receiver.port)) for _ in range(64)]

    refused = requests.get(f"{receiver.url}/events", timeout=30)
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    assert requests.post(f"{receiver.url}/cameras/cam2/frames", make_frame().data, timeout=30).ok

    readers.pop().close()
    wait_until(
        "a seat",
        lambda: (
            requests.head(f"{receiver.url}/events", timeout=30).ok
            and metric(receiver, "framepost_event_readers") == 63
        ),
        seconds=20,
    )
    camera.post()
    assert readers[0].take(2)[1].data["seq"] == 0


def test_streams_end_with_the_receiver(
    stack: ExitStack, tmp_path: Path, make_frame: MakeFrame
) -> None:
    receiver = start(stack, tmp_path)
    camera = source(stack, receiver, make_frame, "cam1")
    streams = [stack.enter_context(EventStream(receiver.port)) for _ in range(5)]
    camera.post()
    started = time.monotonic()
    assert receiver.stop() == 0

    for stream in streams:
        assert [event.data["seq"] for event in stream] == [0]
    assert time.monotonic() - started < 20
    assert "Traceback" not in receiver.output


def test_a_webhook_gets_every_result_and_the_last_ones_at_the_end(
    stack: ExitStack, tmp_path: Path, make_frame: MakeFrame
) -> None:
    release = threading.Event()

    def answer(number: int) -> bytes:
        if number >= 15:
            assert release.wait(30)
            threading.Event().wait(0.06)  # a server that takes its time
        return http_reply()

    server = stack.enter_context(PostServer(answer))
    receiver = start(
        *(stack, tmp_path, "--result-webhook", server.url.replace("//", "//me:canary@") + "/x?y=1"),
        *("--webhook-allow", "127.0.0.0/8,localhost"),
    )
    camera = source(stack, receiver, make_frame, "cam1")
    camera.post(20)
    server.wait_for(16)
    (status,) = requests.get(f"{receiver.url}/webhooks", timeout=30).json()["webhooks"]
    assert status["webhook"] == server.url
    assert (status["sent"], status["waiting"]) == (15, 5)
    with EventStream(receiver.port) as stream:
        receiver.signal(signal.SIGTERM)
        for _ in stream:  # until the receiver stops
            pass
    release.set()
    assert receiver.wait() == 0

    assert [json.loads(body)["seq"] for _, _, body in server.requests] == list(range(20))
    assert "canary" not in receiver.output
    assert "WARNING" not in receiver.output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param(
            ["--result-webhook", "http://h/a,htp://me:canary@h/"],
            "RECEIVER_RESULT_WEBHOOK: expected http://HOST:PORT/PATH or https://HOST:PORT/PATH, "
            "several separated by commas, got ",
            id="no URL",
        ),
        pytest.param(
            ["--webhook-allow", "10.0.0.0/33"],
            "RECEIVER_WEBHOOK_ALLOW: expected addresses, networks such as 10.0.0.0/8, or host "
            "names, separated by commas, got '10.0.0.0/33'",
            id="no network",
        ),
        pytest.param(
            ["--webhook-token", "canary canary"],
            "RECEIVER_WEBHOOK_TOKEN: expected printable ASCII characters without spaces",
            id="no token",
        ),
    ],
)
def test_wrong_settings_are_told_without_their_secrets(arguments: list[str], sentence: str) -> None:
    from receiver.config import ReceiverConfig
    from shared.errors import ConfigError

    with pytest.raises(ConfigError) as caught:
        ReceiverConfig.load(arguments)

    (problem,) = caught.value.problems
    assert problem.startswith(sentence)
    assert "canary" not in problem
