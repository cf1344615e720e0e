"""Frames by stream, against servers that do as told, byte by byte."""

from __future__ import annotations

import json
import logging
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any

import pytest

from sender.stream_client import StreamClient, StreamLine
from shared.http_client import MAX_REPLY, HttpClient, NoReply, Reply
from tests.program import ROOT
from tests.sender.doubles import RawServer, black_hole, free_port, http_reply

BODY = b"x" * 200_000
PEM = ROOT / "tests" / "shared" / "localhost.pem"
STREAM = "/cameras/a/stream"
FRAMES = "/cameras/a/frames"
BEGIN = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
)


END = b"0\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def line(number: int = 0, **facts: Any) -> bytes:
    told: dict[str, Any] = {"state": "accepted", "status": 202, "seq": number}
    times = {"received_at": 1700000000.25, "replied_at": 1700000000.5}
    return chunk(json.dumps(told | times | facts).encode() + b"\n")


Answer = Callable[[int], bytes]
#: Headers and body.
Part = tuple[dict[str, str], bytes]


class Request:
    """A request off a connection: its head, then its parts or its body."""

    def __init__(self, file: IO[bytes]) -> None:
        """Raise EOFError where the client has closed."""
        self.file = file
        first = self.file.readline().decode().split(" ")
        if len(first) < 3:
            raise EOFError
        self.target = first[1]
        self.is_answered = False
        self.headers: dict[str, str] = {}
        while field := self.file.readline().decode().strip():
            name, _, value = field.partition(":")
            self.headers[name.lower()] = value.strip()

    def body(self) -> bytes:
        return self.file.read(int(self.headers["content-length"]))

    def parts(self) -> Iterator[Part]:
        """Yield each part: one chunk holds one."""
        while size := int(self.file.readline() or b"0", 16):
            head, _, body = self.file.read(size).partition(b"\r\n\r\n")
            assert self.file.read(2) == b"\r\n"
            boundary, *fields = head.decode().split("\r\n")
            assert boundary == "--framepost"
            headers = dict(field.split(": ", 1) for field in fields)
            assert int(headers["Content-Length"]) == len(body) - 2
            yield headers, body.removesuffix(b"\r\n")


class StreamServer(RawServer):
    """Takes streams and answers their parts as `answer` says, by their number in all.

    Every other route takes single posts. Where there is a `refusal`, it is all that a stream gets.
    """

    def __init__(
        self, answer: Answer = line, *, refusal: bytes | None = None, port: int = 0
    ) -> None:
        super().__init__(self._serve, port=port)
        self._answer = answer
        self._refusal = refusal
        self.requests: list[Request] = []
        self.parts: list[Part] = []
        self.posts: list[bytes] = []

    def _serve(self, connection: socket.socket, _number: int) -> None:
        with connection.makefile("rb") as file, suppress(EOFError):
            while True:
                self._take(connection, Request(file))

    def _take(self, connection: socket.socket, request: Request) -> None:
        """Answer a request; raise EOFError when the connection is to end."""
        self.requests.append(request)
        if request.target != STREAM:
            self.posts.append(request.body())
            connection.sendall(http_reply())
            return
        for part in request.parts():
            if self._refusal is not None:
                connection.sendall(self._refusal)
                raise EOFError
            answer = self._answer(len(self.parts))
            self.parts.append(part)
            connection.sendall(answer if request.is_answered else BEGIN + answer)
            request.is_answered = True
            if answer.endswith(END):
                raise EOFError
        raise EOFError


@contextmanager
def client_of(
    port: int, *, deadline: float = 5.0, told: threading.Event | None = None
) -> Iterator[StreamClient]:
    client = StreamClient(
        StreamLine("127.0.0.1", port, deadline=deadline),
        HttpClient("127.0.0.1", port, deadline=deadline),
        target=STREAM,
        shown=f"http://127.0.0.1:{port}",
        told=told,
    )
    yield client
    client.close()


def post(client: StreamClient, **headers: str) -> Reply:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(FRAMES, BODY, {"Content-Type": "image/jpeg"} | given)


def fail(client: StreamClient) -> tuple[NoReply, float]:
    """Post, expect no reply, and return the error and the seconds it took."""
    started = time.monotonic()
    with pytest.raises(NoReply) as caught:
        post(client)
    return caught.value, time.monotonic() - started


def test_many_frames_are_parts_of_one_request() -> None:
    with StreamServer() as server, client_of(server.port) as client:
        replies = [
            post(client, X_Frame_Seq=str(seq), Authorization="Bearer t", User_Agent="us")
            for seq in range(20)
        ]

    assert [reply.status for reply in replies] == [202] * 20
    (request,) = server.requests
    assert request.headers["authorization"] == "Bearer t"
    assert request.headers["user-agent"] == "us"
    assert request.headers["accept"] == "application/x-ndjson"
    assert request.headers["content-type"] == "multipart/x-mixed-replace; boundary=framepost"
    assert [headers["X-Frame-Seq"] for headers, _ in server.parts] == [*map(str, range(20))]
    assert all(body == BODY for _, body in server.parts)
    # The length first, so that a receiver can take the rest of the part in one go.
    assert [*server.parts[0][0]] == ["Content-Length", "Content-Type", "X-Frame-Seq"]


def test_a_large_frame_arrives_as_it_was() -> None:
    body = os.urandom(20_000_000)
    with StreamServer() as server, client_of(server.port) as client:
        client.post(FRAMES, body, {})
        client.post(FRAMES, b"", {})

    assert [part[1] == each for part, each in zip(server.parts, (body, b""), strict=True)] == [
        True,
        True,
    ]


def test_a_stream_speaks_tls() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(PEM)
    taken: list[Part] = []

    def handler(connection: socket.socket, _: int) -> None:
        with context.wrap_socket(connection, server_side=True) as tls, tls.makefile("rb") as file:
            for part in Request(file).parts():
                tls.sendall(line() if taken else BEGIN + line())
                taken.append(part)

    trusting = ssl.create_default_context(cafile=str(PEM))
    with RawServer(handler) as server:
        client = StreamLine("127.0.0.1", server.port, tls=True, context=trusting)
        replies = [client.post(STREAM, BODY, {}).status for _ in range(3)]
        client.close()

    assert replies == [202] * 3
    assert [body == BODY for _, body in taken] == [True] * 3


def test_a_line_is_the_reply_that_a_post_would_have_got() -> None:
    answer = line(7, control="fps=5", retry_after=3)
    with StreamServer(lambda _: answer) as server, client_of(server.port) as client:
        reply = post(client)

    assert (reply.status, json.loads(reply.body)["seq"]) == (202, 7)
    assert reply.headers["X-Received-At"] == "1700000000.250000"
    assert reply.headers["x-replied-at"] == "1700000000.500000"
    assert reply.headers["X-Frame-Control"] == "fps=5"
    assert reply.headers["Retry-After"] == "3"
    assert reply.headers.get_content_type() == "application/json"


def test_a_refusal_says_why_and_the_stream_goes_on() -> None:
    refused = line(state="refused", status=422, detail="image: the JPEG is cut off")
    with StreamServer([refused, line(1)].__getitem__) as server, client_of(server.port) as client:
        reply = post(client)
        assert (reply.status, reply.words) == (422, "image: the JPEG is cut off")
        assert post(client).status == 202

    assert server.connections == 1


def test_a_stream_that_the_server_ended_is_opened_anew_at_once() -> None:
    def answer(number: int) -> bytes:
        return line(number) + END

    with StreamServer(answer) as server, client_of(server.port) as client:
        assert [post(client).status for _ in range(3)] == [202] * 3

    assert server.connections == 3
    assert len(server.parts) == 3


def test_a_frame_that_met_the_end_of_a_stream_is_sent_again_once() -> None:
    def answer(number: int) -> bytes:
        return END if number == 1 else line(number)

    with StreamServer(answer) as server, client_of(server.port) as client:
        assert [post(client).status for _ in range(2)] == [202] * 2

    assert server.connections == 2
    assert len(server.parts) == 3


def test_a_fresh_stream_that_ends_without_a_line_is_no_reply() -> None:
    with StreamServer(lambda _: END) as server, client_of(server.port) as client:
        error, _ = fail(client)

    assert error.reason == "reset"
    assert server.connections == 1


@pytest.mark.parametrize(
    "begin",
    [
        pytest.param(BEGIN + b"40\r\n{", id="in chunks"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n\r\n{", id="as it comes"
        ),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Ty", id="not even the head"),
    ],
)
def test_half_a_line_is_no_reply(begin: bytes) -> None:
    def handler(connection: socket.socket, _: int) -> None:
        with connection.makefile("rb") as file:
            next(Request(file).parts())
        connection.sendall(begin)

    with RawServer(handler) as server, client_of(server.port) as client:
        error, _ = fail(client)

    assert error.reason == "reset"


@pytest.mark.parametrize(
    "wrong",
    [
        chunk(b"hello\n"),
        chunk(b"[]\n"),
        chunk(b"{}\n"),
        chunk(b'{"status": "x", "state": "accepted"}\n'),
        line(received_at="now"),
    ],
)
def test_a_line_that_is_no_answer_is_said_so(wrong: bytes) -> None:
    with StreamServer(lambda _: wrong) as server, client_of(server.port) as client:
        error, _ = fail(client)

    assert error.reason == "protocol"
    assert "no answer" in str(error)


def test_a_line_without_an_end_is_not_read_for_ever() -> None:
    long = chunk(b"x" * (MAX_REPLY + 1000))
    with StreamServer(lambda _: long) as server, client_of(server.port) as client:
        error, _ = fail(client)

    assert error.reason == "protocol"
    assert "longer" in str(error)


def test_a_line_that_drips_does_not_stretch_the_deadline() -> None:
    def drip(connection: socket.socket, _: int) -> None:
        with connection.makefile("rb") as file:
            next(Request(file).parts())
        connection.sendall(BEGIN)
        for byte in line() * 100:
            connection.sendall(bytes([byte]))
            threading.Event().wait(0.02)

    with RawServer(drip) as server, client_of(server.port, deadline=0.3) as client:
        error, seconds = fail(client)

    assert error.reason == "timeout"
    assert seconds < 0.6


def test_an_answer_that_comes_late_is_never_taken_for_the_next_frames() -> None:
    release = threading.Event()

    def answer(number: int) -> bytes:
        if number == 1:
            release.wait(60)
        return line(number)

    with StreamServer(answer) as server, client_of(server.port, deadline=0.3) as client:
        post(client)
        error, _ = fail(client)
        release.set()
        reply = post(client)

    assert error.reason == "timeout"
    assert json.loads(reply.body)["seq"] == 2
    assert server.connections == 2


def test_a_refusal_before_the_frame_is_all_sent_is_heard() -> None:
    heard = threading.Event()

    def handler(connection: socket.socket, number: int) -> None:
        with connection.makefile("rb") as file:
            request = Request(file)
            if number > 0:
                next(request.parts())
        refused = line(state="refused", status=413, detail="too large")
        connection.sendall(BEGIN + (refused if number == 0 else line()))
        heard.wait(60)

    with RawServer(handler) as server, client_of(server.port) as client:
        large = client.post(FRAMES, bytes(50_000_000), {})
        after = post(client)
        heard.set()

    assert (large.status, large.words) == (413, "too large")
    assert after.status == 202
    assert server.connections == 2


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden", "503 Busy", "302 Found"])
def test_a_refusal_of_the_whole_request_is_the_frames_reply(
    status: str, caplog: pytest.LogCaptureFixture
) -> None:
    refusal = http_reply(status, b"no", "Retry-After: 7", "Location: http://else/")
    with StreamServer(refusal=refusal) as server, client_of(server.port) as client:
        replies = [post(client) for _ in range(2)]

    assert {reply.status for reply in replies} == {int(status[:3])}
    assert replies[0].headers["Retry-After"] == "7"
    assert replies[0].body == b"no"
    assert server.posts == []
    assert caplog.messages == []


@pytest.mark.parametrize(
    "refusal",
    [
        http_reply("404 Not Found"),
        http_reply("405 Method Not Allowed"),
        http_reply("411 Length Required"),
        http_reply("415 Unsupported Media Type"),
        http_reply("501 Not Implemented"),
        http_reply("200 OK", b"thanks", "Content-Type: text/html"),
        http_reply("202 Accepted", b"{}", "Content-Type: application/json"),
    ],
)
def test_where_no_streams_are_taken_each_frame_is_posted_and_it_is_said_once(
    refusal: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with StreamServer(refusal=refusal) as server, client_of(server.port) as client:
        assert [post(client).status for _ in range(3)] == [202] * 3

    assert server.posts == [BODY] * 3
    assert [request.target for request in server.requests] == [STREAM] + [FRAMES] * 3
    (message,) = caplog.messages
    assert f"http://127.0.0.1:{server.port}{STREAM}: takes no stream (" in message
    assert refusal.split()[1].decode() in message


@pytest.mark.parametrize("begin", [b"", BEGIN], ids=["nothing", "only a head"])
def test_a_proxy_that_keeps_lines_back_is_found_out(
    begin: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    done = threading.Event()

    def handler(connection: socket.socket, number: int) -> None:
        with connection.makefile("rb") as file:
            request = Request(file)
            if request.target == STREAM:
                connection.sendall(begin)
                done.wait(60)
            else:
                request.body()
                connection.sendall(http_reply())

    with RawServer(handler) as server, client_of(server.port, deadline=0.3) as client:
        first, _ = fail(client)
        assert post(client).status == 202
        assert caplog.messages == []
        second, _ = fail(client)
        assert [post(client).status for _ in range(3)] == [202] * 3
        done.set()

    assert first.reason == second.reason == "timeout"
    (message,) = caplog.messages
    assert "proxy" in message


@pytest.mark.parametrize("lost", [1, 2, 3, 4])
def test_a_receiver_that_stood_still_gets_streams_again(
    lost: int, caplog: pytest.LogCaptureFixture
) -> None:
    goes_on = threading.Event()
    goes_on.set()

    def answer(number: int) -> bytes:
        goes_on.wait(60)
        return line(number)

    class Receiver(StreamServer):
        def _serve(self, connection: socket.socket, number: int) -> None:
            if not goes_on.is_set():
                goes_on.wait(60)
                return  # the client has gone meanwhile
            with suppress(ConnectionError):
                super()._serve(connection, number)

    with Receiver(answer) as server, client_of(server.port, deadline=0.2) as client:
        post(client)
        goes_on.clear()
        for _ in range(lost):
            fail(client)
        goes_on.set()
        # This one may be the last that is posted by itself.
        post(client)
        by_stream = ["X-Received-At" in post(client).headers for _ in range(3)]

    assert by_stream == [True] * 3
    assert caplog.messages == []


def test_a_stream_that_worked_is_not_given_up_for_one_late_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    late = threading.Event()

    def answer(number: int) -> bytes:
        if number == 1:
            late.wait(60)
        return line(number)

    with StreamServer(answer) as server, client_of(server.port, deadline=0.3) as client:
        post(client)
        fail(client)
        late.set()
        post(client)

    assert server.posts == []
    assert caplog.messages == []


def test_a_stream_is_tried_again_when_the_posts_fail(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    refusal = http_reply("404 Not Found")
    with StreamServer(refusal=refusal) as old:
        port = old.port
        client = StreamClient(
            StreamLine("127.0.0.1", port),
            HttpClient("127.0.0.1", port),
            target=STREAM,
            shown="http://h",
        )
        post(client)
    fail(client)
    error, _ = fail(client)
    assert error.reason == "connect"
    with StreamServer(refusal=refusal, port=port) as old:
        post(client)
    assert len(old.posts) == 1
    fail(client)

    with StreamServer(port=port) as new:
        assert post(client).status == 202
        client.close()
    assert (len(new.parts), len(new.posts)) == (1, 0)
    assert len(caplog.messages) == 1


def test_nobody_there_is_told_apart() -> None:
    with client_of(free_port()) as client:
        error, _ = fail(client)

    assert (error.reason, str(error)) == ("connect", "no connection: Connection refused")


def test_a_wait_is_interrupted_from_another_thread() -> None:
    with black_hole() as port, client_of(port, deadline=30) as client:
        timer = threading.Timer(0.1, client.interrupt)
        timer.start()
        error, seconds = fail(client)
        timer.join()
        again, _ = fail(client)

    assert error.reason == again.reason == "stopped"
    assert seconds < 5


def test_a_camera_s_clients_warn_once_of_a_server_that_takes_no_streams(
    caplog: pytest.LogCaptureFixture,
) -> None:
    told = threading.Event()
    with StreamServer(refusal=http_reply("404 Not Found")) as server:
        for _ in range(3):
            with client_of(server.port, told=told) as client:
                assert post(client).status == 202

    assert len(caplog.messages) == 1
