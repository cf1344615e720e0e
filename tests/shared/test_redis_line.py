from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from shared.redis_line import RedisLine, RedisRefusal, RedisSilence, RedisTrouble
from shared.redis_url import RedisUrl
from tests.redis_server import RedisServer
from tests.sender.doubles import RawServer, black_hole, free_port

PEM = Path(__file__).parent / "localhost.pem"


@contextmanager
def line_to(url: str, *, deadline: float = 5.0) -> Iterator[RedisLine]:
    line = RedisLine(RedisUrl.parse(url), deadline=deadline)
    yield line
    line.close()


def fail(line: RedisLine) -> tuple[RedisTrouble, float]:
    """Ask, expect trouble, and return it and the seconds it took."""
    started = time.monotonic()
    with pytest.raises(RedisTrouble) as caught:
        line.ask(("SET", "k", b"x" * 200_000), ("GET", "k"))
    return caught.value, time.monotonic() - started


def answering(*replies: bytes) -> Callable[[socket.socket, int], None]:
    """Return a handler that answers whatever comes with these, one after the other."""

    def handle(connection: socket.socket, _: int) -> None:
        for reply in replies:
            connection.recv(1 << 20)
            connection.sendall(reply)
        while connection.recv(1 << 20):
            pass

    return handle


def test_replies_come_in_the_commands_order() -> None:
    with RedisServer() as server, line_to(server.url) as line:
        replies = line.ask(
            ("SET", "k", b"\x00\r\nx"), ("GET", "k"), ("GET", "none"), ("INCR", "n"), ("LPUSH", "k")
        )

        assert replies[:4] == [b"OK", b"\x00\r\nx", None, 1]
        assert isinstance(replies[4], RedisRefusal)
        assert line.ask(("MGET", "k", "n")) == [[b"\x00\r\nx", b"1"]]


def test_a_refusal_inside_a_transaction_stands_in_its_place() -> None:
    with RedisServer() as server, line_to(server.url) as line:
        line.ask(("LPUSH", "list", "a"))
        replies = line.ask(("MULTI",), ("GET", "list"), ("GET", "none"), ("EXEC",))

    refusal, nothing = replies[3]
    assert isinstance(refusal, RedisRefusal)
    assert str(refusal).startswith("refuses it: 'WRONGTYPE")
    assert nothing is None


def test_a_large_value_comes_whole() -> None:
    value = bytes(range(256)) * 20_000
    with RedisServer() as server, line_to(server.url) as line:
        assert line.ask(("SET", "k", value), ("GET", "k")) == [b"OK", value]


def test_a_message_is_heard_and_silence_is_none() -> None:
    with RedisServer() as server, line_to(server.url) as line:
        line.send(("SUBSCRIBE", "img0"))
        assert line.hear(5.0) == [b"subscribe", b"img0", 1]
        assert line.hear(0.0) is None
        server.client().publish("img0", "cam1")
        assert line.hear(5.0) == [b"message", b"img0", b"cam1"]
        line.send(("PING",))
        assert line.hear(5.0) == [b"pong", b""]


def test_a_unix_socket_and_another_database_work(tmp_path: Path) -> None:
    path = tmp_path / "redis.sock"
    with RedisServer(socket=path) as server, line_to(f"unix://{path}?db=3") as line:
        line.ask(("SET", "k", "v"))

        assert server.client().get("k") is None
        assert line.ask(("GET", "k")) == [b"v"]


@pytest.mark.parametrize("login", ["", ":wrong-canary@", "me:wrong-canary@"])
def test_a_wrong_password_is_said_and_not_shown(login: str) -> None:
    with RedisServer(password="right-canary") as server:
        with line_to(f"redis://{login}127.0.0.1:{server.port}") as line:
            trouble, _ = fail(line)

        assert isinstance(trouble, RedisRefusal)
        assert trouble.reason == "password"
        assert "does not let us in" in str(trouble)
        assert "canary" not in str(trouble)
        with line_to(server.url) as line:
            assert line.ask(("PING",)) == [b"PONG"]


def test_a_password_that_a_server_repeats_is_not_shown() -> None:
    said = b"-ERR unknown command 'AUTH', with args beginning with: 'canary'\r\n"
    with (
        RawServer(answering(said)) as server,
        line_to(f"redis://:canary@127.0.0.1:{server.port}") as line,
    ):
        trouble, _ = fail(line)

    assert "unknown command 'AUTH'" in str(trouble)
    assert "canary" not in str(trouble)


@pytest.mark.parametrize(
    ("options", "reason", "word"),
    [
        (("--maxmemory", "100kb", "--maxmemory-policy", "noeviction"), "full", "is full"),
        (("--replicaof", "127.0.0.1", "1"), "readonly", "is a replica"),
        (("--rename-command", "SET", ""), "refused", "unknown command"),
    ],
)
def test_what_redis_does_not_do_has_a_reason(
    options: tuple[str, ...], reason: str, word: str
) -> None:
    with RedisServer(*options) as server, line_to(server.url) as line:
        [reply] = line.ask(("SET", "k", b"x" * 200_000))
        assert line.ask(("PING",)) == [b"PONG"]

    assert isinstance(reply, RedisRefusal)
    assert reply.reason == reason
    assert word in str(reply)


def test_a_refused_connection_is_said_at_once() -> None:
    with line_to(f"redis://127.0.0.1:{free_port()}", deadline=60) as line:
        trouble, seconds = fail(line)

    assert isinstance(trouble, RedisSilence)
    assert (trouble.reason, str(trouble)) == ("connect", "no connection: Connection refused")
    assert seconds < 30


def test_a_host_without_an_address_is_named() -> None:
    with line_to("redis://nowhere.invalid") as line:
        trouble, _ = fail(line)

    assert isinstance(trouble, RedisSilence)
    assert trouble.reason == "connect"
    assert "no address for 'nowhere.invalid'" in str(trouble)


def test_a_server_that_says_nothing_costs_the_deadline() -> None:
    with black_hole() as port, line_to(f"redis://127.0.0.1:{port}", deadline=0.3) as line:
        trouble, seconds = fail(line)

    assert isinstance(trouble, RedisSilence)
    assert (trouble.reason, str(trouble)) == ("timeout", "no reply within 0.3 s")
    assert 0.25 < seconds < 5


def test_a_reply_that_drips_does_not_stretch_the_deadline() -> None:
    def drip(connection: socket.socket, _: int) -> None:
        connection.sendall(b"+")
        while True:
            connection.sendall(b"x")
            threading.Event().wait(0.02)

    with (
        RawServer(drip) as server,
        line_to(f"redis://127.0.0.1:{server.port}", deadline=0.3) as line,
    ):
        trouble, seconds = fail(line)

    assert isinstance(trouble, RedisSilence)
    assert trouble.reason == "timeout"
    assert seconds < 5


def test_a_redis_that_stands_still_costs_the_deadline_and_is_used_again_when_it_goes_on() -> None:
    with RedisServer() as server, line_to(server.url, deadline=1.0) as line:
        line.ask(("PING",))
        server.pause()
        trouble, seconds = fail(line)
        server.resume()

        assert isinstance(trouble, RedisSilence)
        assert trouble.reason == "timeout"
        assert seconds < 10
        assert line.ask(("PING",)) == [b"PONG"]


@pytest.mark.parametrize(
    "reply",
    [
        *(
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
            b":x\r\n",
            b"$x\r\n",
            b"*x\r\n",
            b"\x16\x03\x01\r\n",
        ),
        b"*1\r\n" * 5000,
    ],
    ids=["HTTP", "a number", "a length", "a count", "TLS", "brackets"],
)
def test_what_is_no_redis_is_said(reply: bytes) -> None:
    with (
        RawServer(answering(reply)) as server,
        line_to(f"redis://127.0.0.1:{server.port}", deadline=60) as line,
    ):
        trouble, seconds = fail(line)

    assert isinstance(trouble, RedisSilence)
    assert trouble.reason == "protocol"
    assert "no Redis that we understand" in str(trouble)
    assert seconds < 30


def test_a_connection_that_ends_is_said_and_not_tried_again() -> None:
    def hang_up(connection: socket.socket, _: int) -> None:
        connection.recv(100)

    with RawServer(hang_up) as server:
        with line_to(f"redis://127.0.0.1:{server.port}") as line:
            trouble, _ = fail(line)

        assert isinstance(trouble, RedisSilence)
        assert trouble.reason == "reset"
        assert server.connections == 1


def test_a_connection_that_ended_meanwhile_is_noticed_before_it_is_used() -> None:
    with RedisServer() as server, line_to(server.url) as line:
        line.ask(("PING",))
        server.stop()
        server.start()

        assert line.ask(("PING",)) == [b"PONG"]


def test_an_answer_nobody_asked_for_is_not_taken_for_the_next_one() -> None:
    def chatter(connection: socket.socket, number: int) -> None:
        connection.recv(100)
        connection.sendall(b"+PONG\r\n")
        connection.recv(100)
        connection.sendall(b"+OK\r\n" if number else b"+OK\r\n+SURPRISE\r\n")
        connection.recv(100)

    with RawServer(chatter) as server, line_to(f"redis://127.0.0.1:{server.port}") as line:
        assert line.ask(("PING",)) == [b"OK"]
        assert line.ask(("PING",)) == [b"OK"]


def test_an_interrupt_ends_the_wait_and_every_later_one() -> None:
    with black_hole() as port, line_to(f"redis://127.0.0.1:{port}", deadline=60) as line:
        timer = threading.Timer(0.1, line.interrupt)
        timer.start()
        first, seconds = fail(line)
        second, _ = fail(line)
        timer.join()

    assert seconds < 30
    for trouble in (first, second):
        assert isinstance(trouble, RedisSilence)
        assert trouble.reason == "stopped"


def test_an_interrupt_ends_a_connection_that_is_being_made() -> None:
    with full_listener() as port, line_to(f"redis://127.0.0.1:{port}", deadline=60) as line:
        timer = threading.Timer(0.1, line.interrupt)
        timer.start()
        trouble, seconds = fail(line)
        timer.join()

    assert isinstance(trouble, RedisSilence)
    assert trouble.reason == "stopped"
    assert seconds < 30


def test_a_connection_that_is_not_made_costs_the_deadline() -> None:
    with full_listener() as port, line_to(f"redis://127.0.0.1:{port}", deadline=1.0) as line:
        trouble, seconds = fail(line)

    assert isinstance(trouble, RedisSilence)
    assert (trouble.reason, str(trouble)) == ("timeout", "no connection within 1 s")
    assert 0.9 < seconds < 10


@contextmanager
def full_listener() -> Iterator[int]:
    """Give the port of a server that has no room for one more connection."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            with suppress(BlockingIOError):
                one.connect(address)
        try:
            yield address[1]
        finally:
            for one in waiting:
                one.close()


def test_tls_works_with_a_certificate_that_is_trusted_and_with_no_other() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(PEM)

    def serve(connection: socket.socket, number: int) -> None:
        with context.wrap_socket(connection.dup(), server_side=True) as tls:
            answering(b"+PONG\r\n", b"+PONG\r\n")(tls, number)

    with RawServer(serve) as server:
        url = f"rediss://127.0.0.1:{server.port}"
        with line_to(url) as line:
            trouble, _ = fail(line)
        with line_to(f"{url}?ssl_ca_certs={PEM}") as line:
            assert line.ask(("PING",)) == [b"PONG"]

    assert isinstance(trouble, RedisSilence)
    assert trouble.reason == "tls"
    assert str(trouble) == "its certificate is not trusted: self-signed certificate"
