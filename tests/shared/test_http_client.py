from __future__ import annotations

import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from email.message import Message
from functools import partial
from pathlib import Path

import pytest

from shared.http_client import MAX_REPLY, HttpClient, NoReply, Reply
from tests.leftovers import leaves_nothing
from tests.sender.doubles import PostServer, RawServer, Requests, black_hole, free_port, http_reply

BODY = b"x" * 200_000
#: A key and a self-signed certificate for 127.0.0.1, valid for a hundred years.
PEM = Path(__file__).parent / "localhost.pem"


@pytest.fixture
def tls_server() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(PEM)
    return context


@pytest.fixture
def tls_client() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(PEM))


@contextmanager
def client_of(port: int, *, deadline: float = 5.0) -> Iterator[HttpClient]:
    client = HttpClient("127.0.0.1", port, deadline=deadline)
    yield client
    client.close()


@contextmanager
def serving(handler: Callable[[socket.socket, int], None]) -> Iterator[RawServer]:
    with RawServer(handler) as server:
        yield server


def fail(client: HttpClient, *, body: bytes = BODY) -> tuple[NoReply, float]:
    """Post, expect no reply, and return the error and the seconds it took."""
    started = time.monotonic()
    with pytest.raises(NoReply) as caught:
        client.post("/frames", body, {})
    return caught.value, time.monotonic() - started


def test_a_post_carries_body_and_headers_and_brings_the_reply() -> None:
    answer = http_reply("202 Accepted", b"yes", "X-Thing: 7")
    with PostServer(lambda _: answer) as server, client_of(server.port) as client:
        reply = client.post("/cameras/a/frames?x=1", BODY, {"X-Frame-Seq": "5"})

    assert (reply.status, reply.body, reply.headers.get("x-thing")) == (202, b"yes", "7")
    line, headers, body = server.requests[0]
    assert line == "POST /cameras/a/frames?x=1 HTTP/1.1"
    assert headers["x-frame-seq"] == "5"
    assert headers["host"] == f"127.0.0.1:{server.port}"
    assert body == BODY


def test_one_connection_serves_many_posts() -> None:
    with PostServer() as server, client_of(server.port) as client:
        for _ in range(20):
            client.post("/", BODY, {})

    assert len(server.requests) == 20
    assert server.connections == 1


def test_a_get_goes_by_the_same_connection() -> None:
    answer = http_reply("200 OK", b"yes")
    with PostServer(lambda _: answer) as server, client_of(server.port) as client:
        client.post("/a", BODY, {})
        reply = client.get("/b?x=1", {"Accept": "application/json"})

    assert (reply.status, reply.body) == (200, b"yes")
    assert server.connections == 1
    assert server.requests[1][0] == "GET /b?x=1 HTTP/1.1"


def test_a_reply_is_only_as_long_as_was_allowed() -> None:
    with PostServer(lambda _: http_reply("200 OK", b"x" * 101)) as server:
        client = HttpClient("127.0.0.1", server.port, max_reply=100)
        with pytest.raises(NoReply, match="longer than 100 bytes"):
            client.get("/", {})
        client.close()


def test_a_reply_that_drips_does_not_stretch_the_deadline() -> None:
    def drip(connection: socket.socket, _: int) -> None:
        for byte in http_reply(body=b"y" * 1000):
            connection.sendall(bytes([byte]))
            threading.Event().wait(0.02)

    with serving(drip) as server, client_of(server.port, deadline=0.3) as client:
        error, seconds = fail(client)

    assert error.reason == "timeout"
    assert "no reply within 0.3 s" in str(error)
    assert seconds < 5


def test_a_deadline_is_kept_to_a_tenth_however_slowly_a_reply_drips() -> None:
    """By a clock that each look at it moves on, as if every wait took a tenth of a second."""
    now = [0.0]

    def clock() -> float:
        now[0] += 0.1
        return now[0]

    def drip(connection: socket.socket, _: int) -> None:
        with suppress(OSError):  # the client leaves
            for byte in http_reply(body=b"y" * 5000):
                connection.sendall(bytes([byte]))
                threading.Event().wait(0.005)

    with serving(drip) as server:
        client = HttpClient("127.0.0.1", server.port, deadline=2.0, clock=clock)
        began = now[0]
        error, _ = fail(client, body=b"")
        client.close()

    assert error.reason == "timeout"
    assert 1.8 <= now[0] - began <= 2.2


def test_a_server_that_reads_slowly_does_not_stretch_the_deadline() -> None:
    def sip(connection: socket.socket, _: int) -> None:
        while connection.recv(2000):
            threading.Event().wait(0.02)

    with serving(sip) as server, client_of(server.port, deadline=0.3) as client:
        error, seconds = fail(client, body=b"x" * 20_000_000)

    assert error.reason == "timeout"
    assert seconds < 5


def test_a_server_that_says_nothing_is_given_up_at_the_deadline() -> None:
    with black_hole() as port, client_of(port, deadline=0.2) as client:
        error, seconds = fail(client)

    assert error.reason == "timeout"
    assert seconds < 5


def test_a_connection_that_nobody_accepts_is_given_up_at_the_deadline() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        waiting = []
        for _ in range(4):  # fill the queue of those not yet accepted
            waiting.append(socket.socket())
            waiting[-1].setblocking(False)
            waiting[-1].connect_ex(("127.0.0.1", port))
        with client_of(port, deadline=0.3) as client:
            error, seconds = fail(client)
        for each in waiting:
            each.close()

    assert error.reason == "timeout"
    assert "no connection within 0.3 s" in str(error)
    assert seconds < 5


def test_a_refused_connection_is_told_apart() -> None:
    with client_of(free_port()) as client:
        error, _ = fail(client)

    assert (error.reason, str(error)) == ("connect", "no connection: Connection refused")


def test_a_post_that_failed_leaves_nothing_to_the_garbage_collector() -> None:
    with black_hole() as silent:
        for port in (free_port(), silent):
            client = HttpClient("127.0.0.1", port, deadline=0.2)
            assert leaves_nothing(partial(client.post, "/", BODY, {}))
            client.close()


def test_an_unknown_host_is_told_apart() -> None:
    client = HttpClient("no-such-host.invalid", 80)

    error, _ = fail(client)

    assert error.reason == "connect"
    assert "no address for 'no-such-host.invalid'" in str(error)


def test_an_address_that_is_not_allowed_is_never_connected_to() -> None:
    asked: list[str] = []

    def allow(address: str) -> bool:
        asked.append(address)
        return False

    with PostServer() as server:
        client = HttpClient("localhost", server.port, allow=allow)
        error, _ = fail(client)
        client.close()

        assert server.connections == 0
    assert "127.0.0.1" in asked
    assert error.reason == "forbidden"
    assert str(error) == f"{asked[-1]} is an address that is not allowed"


def test_of_a_hosts_addresses_an_allowed_one_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with PostServer() as denied, PostServer() as allowed:
        monkeypatch.setattr(
            "socket.getaddrinfo",
            lambda *_, **__: [
                (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.2", denied.port)),
                (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", allowed.port)),
            ],
        )
        client = HttpClient("two.invalid", 80, allow="127.0.0.1".__eq__)
        assert client.post("/", BODY, {}).status == 202
        client.close()

        assert (denied.connections, allowed.connections) == (0, 1)


def test_an_address_that_is_dead_leaves_time_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    # With its queue full a listener lets every further connection wait, as a dead address does.
    with (
        socket.create_server(("127.0.0.1", 0), backlog=0) as dead,
        socket.create_connection(dead.getsockname()),
        PostServer() as alive,
    ):
        monkeypatch.setattr(
            "socket.getaddrinfo",
            lambda *_, **__: [
                (socket.AF_INET, socket.SOCK_STREAM, 6, "", dead.getsockname()),
                (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", alive.port)),
            ],
        )
        with client_of(80, deadline=4.0) as client:
            assert client.post("/", b"x", {}).status == 202


@pytest.mark.parametrize(
    ("kind", "body", "words"),
    [
        pytest.param("text/html", b"<p>\n no", "<p> no", id="a page"),
        pytest.param("application/problem+json", b'{"detail": "why"}', "why", id="a problem"),
        pytest.param("application/problem+json", b'{"title": 1}', '{"title": 1}', id="half a one"),
        pytest.param("application/problem+json", b"[]", "[]", id="no object"),
        pytest.param("text/plain", b"\xff" + b"x" * 900, "\ufffd" + "x" * 199, id="long"),
    ],
)
def test_a_refusal_says_its_own_words(kind: str, body: bytes, words: str) -> None:
    headers = Message()
    headers["Content-Type"] = kind

    assert Reply(400, headers, body).words == words


def test_a_reply_that_is_cut_off_is_no_reply() -> None:
    def cut(connection: socket.socket, _: int) -> None:
        next(iter(Requests(connection)))
        connection.sendall(http_reply(body=b"z" * 100)[:-50])

    with serving(cut) as server, client_of(server.port) as client:
        error, _ = fail(client)

    assert error.reason == "reset"


def test_a_reply_that_is_cut_off_at_any_byte_is_no_reply() -> None:
    whole = http_reply("202 Accepted", b"ok", "X-Thing: 7")

    def cut(connection: socket.socket, number: int) -> None:
        next(iter(Requests(connection)))
        connection.sendall(whole[:number])

    with serving(cut) as server:
        for _ in range(len(whole)):
            with client_of(server.port) as client:
                error, _ = fail(client, body=b"x")
            assert error.reason == "reset"
        with client_of(server.port) as client:
            assert client.post("/", b"x", {}).status == 202


@pytest.mark.parametrize("length", ["", "Content-Length: 2\r\n"])
def test_a_reply_that_ends_with_the_connection_is_read_to_its_end(length: str) -> None:
    def answer(connection: socket.socket, _: int) -> None:
        next(iter(Requests(connection)))
        connection.sendall(f"HTTP/1.0 200 OK\r\n{length}\r\n".encode())
        time.sleep(0.05)  # as a program that writes its body later
        connection.sendall(b"ok")

    with serving(answer) as server, client_of(server.port) as client:
        for _ in range(2):
            reply = client.post("/", BODY, {})
            assert (reply.status, reply.body) == (200, b"ok")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n", id="another protocol"),
        pytest.param(b"HTTP/1.1 abc\r\n\r\n", id="a status that is no number"),
        pytest.param(b"HTTP/1.1 200 OK\r\nA: " + b"x" * 70_000 + b"\r\n\r\n", id="a long header"),
        pytest.param(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n", id="many headers"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nx\r\n", id="a bad chunk"
        ),
        pytest.param(http_reply(body=b"x" * (MAX_REPLY + 1)), id="more than we read"),
    ],
)
def test_a_reply_that_is_no_http_is_told_apart(answer: bytes) -> None:
    with PostServer(lambda _: answer) as server, client_of(server.port) as client:
        error, _ = fail(client)

    assert error.reason in ("protocol", "reset")
    assert len(str(error)) < 300


def test_a_redirect_is_returned_and_not_followed() -> None:
    answer = http_reply("302 Found", b"", "Location: /else")
    with PostServer(lambda _: answer) as server, client_of(server.port) as client:
        reply = client.post("/", BODY, {})

    assert reply.status == 302
    assert len(server.requests) == 1


def test_a_kept_connection_that_the_server_closed_costs_no_frame() -> None:
    def once(connection: socket.socket, _: int) -> None:
        next(iter(Requests(connection)))
        connection.sendall(http_reply())

    with serving(once) as server, client_of(server.port) as client:
        for _ in range(5):
            assert client.post("/", BODY, {}).status == 202

        assert server.connections == 5


def test_a_second_try_is_made_only_once() -> None:
    def first_only(connection: socket.socket, number: int) -> None:
        next(iter(Requests(connection)))
        if number == 0:
            connection.sendall(http_reply())

    with serving(first_only) as server, client_of(server.port) as client:
        client.post("/", BODY, {})
        error, _ = fail(client)

        assert error.reason == "reset"
        assert server.connections == 2


def test_a_fresh_connection_gets_no_second_try() -> None:
    def close(connection: socket.socket, _: int) -> None:
        next(iter(Requests(connection)))

    with serving(close) as server, client_of(server.port) as client:
        error, _ = fail(client)

        assert error.reason == "reset"
        assert server.connections == 1


def test_a_reply_that_had_begun_is_not_asked_for_again() -> None:
    def reset(connection: socket.socket, _: int) -> None:
        for answer in (http_reply(), b"HTTP/1.1 20"):
            while not connection.recv(65536).endswith(b"the end"):
                pass
            connection.sendall(answer)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    with serving(reset) as server, client_of(server.port) as client:
        client.post("/", b"the end", {})
        fail(client, body=b"the end")

        assert server.connections == 1


@pytest.mark.parametrize("then", ["reads on", "closes", "does neither"])
def test_a_server_that_answers_before_it_read_all_is_heard(then: str) -> None:
    done = threading.Event()
    body = b"x" * 20_000_000

    def refuse(connection: socket.socket, _: int) -> None:
        # The next request of one that reads on may be here before the last one's body is read.
        with connection.makefile("rb") as stream:
            while stream.readline():
                while stream.readline().strip():
                    pass
                connection.sendall(http_reply("413 Content Too Large", b"too large"))
                if then != "reads on":
                    break
                stream.read(len(body))
        if then == "closes":
            connection.close()
        elif then == "does neither":
            done.wait(60)

    with serving(refuse) as server, client_of(server.port) as client:
        for _ in range(3):
            assert client.post("/", body, {}).status == 413
        done.set()


def test_a_server_that_closes_after_its_reply_gets_a_new_connection() -> None:
    with PostServer(lambda _: http_reply("200 OK", b"", "Connection: close")) as server:
        with client_of(server.port) as client:
            client.post("/", b"", {})
            client.post("/", b"", {})

        assert server.connections == 2


def test_interrupt_ends_a_wait_and_every_later_one() -> None:
    arrived = threading.Event()

    def silent(connection: socket.socket, _: int) -> None:
        next(iter(Requests(connection)))
        arrived.set()
        connection.recv(1)

    errors: list[NoReply] = []
    with serving(silent) as server, client_of(server.port, deadline=30) as client:
        thread = threading.Thread(target=lambda: errors.append(fail(client)[0]))
        thread.start()
        assert arrived.wait(30)

        client.interrupt()
        thread.join(30)
        assert not thread.is_alive()
        errors.append(fail(client)[0])

    assert [error.reason for error in errors] == ["stopped", "stopped"]


def test_the_environment_names_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")

    with PostServer() as server, client_of(server.port) as client:
        assert client.post("/", b"", {}).status == 202


def test_a_server_without_tls_is_told_apart() -> None:
    def plain(connection: socket.socket, _: int) -> None:
        connection.recv(1000)
        connection.sendall(http_reply("400 Bad Request"))

    with serving(plain) as server:
        error, _ = fail(HttpClient("127.0.0.1", server.port, tls=True))

    assert error.reason == "tls"


def test_a_certificate_of_nobody_we_trust_is_refused(tls_server: ssl.SSLContext) -> None:
    with serving(tls(tls_server)) as server:
        error, _ = fail(HttpClient("127.0.0.1", server.port, tls=True))

    assert error.reason == "tls"
    assert "certificate is not trusted" in str(error)


def test_https_works_and_keeps_its_deadline(
    tls_server: ssl.SSLContext, tls_client: ssl.SSLContext
) -> None:
    with serving(tls(tls_server)) as server:
        client = HttpClient("127.0.0.1", server.port, tls=True, context=tls_client, deadline=0.5)
        replies = [client.post("/", BODY, {}) for _ in range(3)]
        assert server.connections == 1
        error, seconds = fail(client)

    assert [reply.status for reply in replies] == [202, 202, 202]
    assert error.reason == "timeout"
    assert seconds < 10


def tls(context: ssl.SSLContext) -> Callable[[socket.socket, int], None]:
    """Answer three requests on a TLS connection, then say nothing."""

    def handle(connection: socket.socket, _: int) -> None:
        with context.wrap_socket(connection.dup(), server_side=True) as secure:
            for number, _request in enumerate(Requests(secure)):
                if number < 3:
                    secure.sendall(http_reply())

    return handle
