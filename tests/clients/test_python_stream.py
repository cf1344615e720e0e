"""Many frames in one request, by our Python client: against servers that do as told, and ours."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO

import pytest
from framepost_client import MAX_REPLY, Client, Control, NoReply, Refused, Reply
from framepost_stream import Stream

from shared import codec, pattern
from tests.clients.conftest import blocks
from tests.program import ROOT, Receiver
from tests.sender.doubles import RawServer

#: A key and a self-signed certificate for 127.0.0.1.
PEM = ROOT / "tests" / "shared" / "localhost.pem"
BEGIN = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
)


class Parts:
    """The request of a stream as a server reads it: its head, then its parts."""

    def __init__(self, incoming: BinaryIO) -> None:
        self._incoming = incoming
        self.request = self._line()
        self.headers = self._headers()

    def read(self) -> tuple[dict[str, str], bytes]:
        """Return the next part's headers and body; raise EOFError at the end."""
        size = int(self._line() or b"0", 16)
        if size == 0:
            raise EOFError
        assert self._line() == b"--framepost"
        headers = self._headers()
        body = self._incoming.read(int(headers["content-length"]))
        assert self._incoming.read(4) == b"\r\n\r\n"
        return headers, body

    def _headers(self) -> dict[str, str]:
        headers = {}
        while text := self._line().decode():
            name, _, value = text.partition(": ")
            headers[name.lower()] = value
        return headers

    def _line(self) -> bytes:
        return self._incoming.readline().rstrip(b"\r\n")


def line(seq: int, **facts: Any) -> bytes:
    """Return the answer to a part, as a chunk."""
    said = {"status": 202, "state": "accepted", "seq": seq, "received_at": 1.5, "replied_at": 2.25}
    text = json.dumps(said | facts).encode() + b"\n"
    return b"%x\r\n%b\r\n" % (len(text), text)


@contextmanager
def stream_to(
    *scripts: Iterable[bytes], read: bool = True, **settings: Any
) -> Iterator[tuple[Stream, list[Parts], list[tuple[dict[str, str], bytes]]]]:
    """Give a stream to a server with a script for each connection, and what came on all of them.

    A script is answers; before each a part is read, and after the last the server hangs up.
    """
    requests: list[Parts] = []
    parts: list[tuple[dict[str, str], bytes]] = []

    def handle(connection: socket.socket, number: int) -> None:
        with connection.makefile("rb") as incoming:
            request = Parts(incoming)
            requests.append(request)
            for answer in scripts[number]:
                if read:
                    parts.append(request.read())
                connection.sendall(answer)

    client = {name: settings.pop(name) for name in ("token", "timeout") if name in settings}
    with (
        RawServer(handle) as server,
        Stream(Client(f"http://127.0.0.1:{server.port}/", "door", **client), **settings) as stream,
    ):
        yield stream, requests, parts


def test_a_frame_travels_while_the_one_before_it_is_with_the_hook() -> None:
    second_came = threading.Event()

    def handle(connection: socket.socket, number: int) -> None:
        with connection.makefile("rb") as incoming:
            request = Parts(incoming)
            request.read()
            if number == 1:
                second_came.set()
            assert second_came.wait(30)
            connection.sendall(BEGIN + line(number))
            with suppress(EOFError):
                request.read()

    with (
        RawServer(handle) as server,
        Stream(Client(f"http://127.0.0.1:{server.port}", "door")) as stream,
    ):
        replies = [stream.send(frame) for frame in (b"zero", b"one")]

    assert [reply and reply.seq for reply in replies] == [None, 0]


def test_each_part_says_what_a_post_of_its_own_would_say() -> None:
    answers = (BEGIN + line(0, result=7), line(1), line(2))
    settings: dict[str, Any] = {"wait": 1.0, "every": True, "token": "secret", "in_flight": 1}
    with stream_to(answers, clock=lambda: 5.0, **settings) as (stream, requests, parts):
        first = stream.send(b"zero")
        stream.send(b"one", captured_at=5.0, content_type="image/png")
        stream.send(b"two")

    assert first is not None
    assert (first.status, first.state, first.seq, first.result) == (202, "accepted", 0, 7)
    assert requests[0].request == b"POST /cameras/door/stream?mode=every HTTP/1.1"
    assert requests[0].headers["prefer"] == "wait=1.0"
    assert requests[0].headers["accept"] == "application/x-ndjson"
    assert requests[0].headers["authorization"] == "Bearer secret"
    assert [body for _, body in parts] == [b"zero", b"one", b"two"]
    assert [headers["x-frame-seq"] for headers, _ in parts] == ["0", "1", "2"]
    assert parts[1][0]["x-timestamp"] == "5.000000"
    assert parts[1][0]["content-type"] == "image/png"
    assert "received=1.500000; replied=2.250000" in parts[1][0]["x-last-exchange"]
    assert "x-last-exchange" not in parts[2][0]


def test_one_in_flight_is_answered_at_once() -> None:
    with stream_to((BEGIN + line(0), line(1)), in_flight=1) as (stream, _, _):
        replies = [stream.send(b"zero"), stream.send(b"one")]

    assert [reply and reply.seq for reply in replies] == [0, 1]


def test_what_is_in_flight_can_be_waited_for() -> None:
    scripts = ((BEGIN + line(number),) for number in range(2))
    with stream_to(*scripts, in_flight=3) as (stream, _, _):
        assert stream.flush() == []
        assert [stream.send(b"zero"), stream.send(b"one")] == [None, None]

        assert [reply.seq for reply in stream.flush()] == [0, 1]


def test_a_refused_frame_is_a_reply_and_the_stream_goes_on() -> None:
    refused = line(0, state="refused", status=422, detail="image: it is cut off", retry_after=2)
    wish = "fps=5; size=640x360"
    with stream_to((BEGIN + refused, line(1, control=wish)), in_flight=1) as (stream, _, _):
        first, second = stream.send(b"zero"), stream.send(b"one")

    assert first is not None
    assert (first.status, first.state, first.error) == (422, "refused", "image: it is cut off")
    assert first.retry_after == 2
    assert second is not None
    assert second.control == Control(fps=5, size=(640, 360))


def test_a_receiver_that_takes_no_stream_is_heard() -> None:
    body = b'{"detail": "camera: no hook"}'
    head = b"HTTP/1.1 409 Conflict\r\nRetry-After: 3\r\nContent-Length: %d\r\n\r\n" % len(body)
    with (
        stream_to((head + body,), in_flight=1) as (stream, _, _),
        pytest.raises(Refused, match="409: camera: no hook") as caught,
    ):
        stream.send(b"x")

    assert caught.value.retry_after == 3


def test_a_refusal_that_comes_before_the_frame_is_sent_is_heard() -> None:
    head = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno"
    with stream_to((head,), read=False, in_flight=1) as (stream, _, _):
        with pytest.raises((Refused, NoReply)) as caught:
            stream.send(b"x" * 100_000_000)

        # A server that hangs up on unread bytes may reset the line before its words are read.
        assert str(caught.value) in ("401: no", "the connection ended before the reply did")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "reset"),
        (BEGIN, "reset"),
        (BEGIN + b"5\r\nshort", "reset"),
        (BEGIN + b"5\r\nshort\r\n0\r\n\r\n", "reset"),
        (BEGIN + b"3\r\nno\n\r\n", "protocol"),
        (BEGIN + b"2\r\n1\n\r\n", "protocol"),
        (BEGIN + line(0, state=None, received_at="soon"), "protocol"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "protocol"),
        (b"SSH-2.0-server\r\n", "protocol"),
        (BEGIN + b"%x\r\n" % (MAX_REPLY + 9) + b"x" * (MAX_REPLY + 9) + b"\r\n", "protocol"),
    ],
    ids=[
        *("nothing", "no line", "cut off in a chunk", "cut off in a line", "no JSON"),
        *("no object", "no times", "no stream", "no HTTP", "too long"),
    ],
)
def test_an_answer_that_is_none_is_trouble_and_the_next_frame_begins_anew(
    answer: bytes, reason: str
) -> None:
    replies = iter([answer, BEGIN + line(1)])
    numbers: list[str] = []

    def handle(connection: socket.socket, _number: int) -> None:
        with connection.makefile("rb") as incoming:
            numbers.append(Parts(incoming).read()[0]["x-frame-seq"])
            connection.sendall(next(replies))

    with (
        RawServer(handle) as server,
        Stream(Client(f"http://127.0.0.1:{server.port}", "door"), in_flight=1) as stream,
    ):
        with pytest.raises(NoReply) as caught:
            stream.send(b"lost")
        reply = stream.send(b"next")

    assert caught.value.reason == reason
    assert reply is not None
    assert reply.seq == 1
    assert numbers == ["0", "1"]


def test_nobody_there_is_trouble() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with (
        Stream(Client(f"http://127.0.0.1:{port}", "door")) as stream,
        pytest.raises(NoReply) as caught,
    ):
        stream.send(b"x")

    assert caught.value.reason == "connect"


@pytest.mark.parametrize("answer", [b"", BEGIN + b"ff\r\n"], ids=["silent", "half a line"])
def test_a_server_that_falls_silent_costs_no_more_than_the_timeout(answer: bytes) -> None:
    def handle(connection: socket.socket, _number: int) -> None:
        connection.sendall(answer)
        while connection.recv(1 << 16):
            pass

    with (
        RawServer(handle) as server,
        Stream(Client(f"http://127.0.0.1:{server.port}", "door", timeout=0.2), in_flight=1) as line,
        pytest.raises(NoReply) as caught,
    ):
        line.send(b"x")

    assert caught.value.reason == "timeout"


@pytest.mark.parametrize(("verify", "works"), [(str(PEM), True), (False, True), (True, False)])
def test_a_certificate_is_checked_as_the_client_says(verify: str | bool, works: bool) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(PEM)

    def handle(connection: socket.socket, _number: int) -> None:
        with (
            suppress(OSError),
            context.wrap_socket(connection.dup(), server_side=True) as tls,
            tls.makefile("rb") as incoming,
        ):
            Parts(incoming).read()
            tls.sendall(BEGIN + line(0))

    with RawServer(handle) as server:
        client = Client(f"https://127.0.0.1:{server.port}", "door", verify=verify)
        with Stream(client, in_flight=1) as stream:
            if works:
                assert stream.send(b"x") is not None
                return
            with pytest.raises(NoReply) as caught:
                stream.send(b"x")

    assert caught.value.reason == "tls"


def test_a_receiver_answers_each_frame_with_what_its_hook_read() -> None:
    jpegs = [codec.encode(pattern.draw(number, 160, 120), 90) for number in range(5)]
    replies: list[Reply | None] = []
    with Receiver("--hook", "tests.witness:Witness") as receiver:
        receiver.wait_for("ready")
        with Stream(Client(receiver.url, "streamed"), wait=5, every=True) as stream:
            replies += [stream.send(jpeg) for jpeg in jpegs]
            replies += [*stream.flush(), stream.send(b"no picture"), *stream.flush()]
        lines = blocks(ROOT / "clients" / "python" / "README.md", "python", url=receiver.url)

    came = [reply for reply in replies if reply is not None]
    assert [reply.state for reply in came] == ["processed"] * 5 + ["refused"]
    assert [reply.result["number"] for reply in came[:5]] == [0, 1, 2, 3, 4]
    assert any("Stream(client, wait=1.0, every=True)" in block for block in lines)
