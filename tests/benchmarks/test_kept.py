from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from benchmarks.measuring.kept import Kept, post


@pytest.fixture
def ends() -> Iterator[tuple[Kept, socket.socket]]:
    """A connection, and the server's end of it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        kept = Kept(f"http://127.0.0.1:{listener.getsockname()[1]}")
        end, _ = listener.accept()
        with end:
            yield kept, end
        kept.close()


def test_pieces_that_the_system_takes_in_parts_arrive_whole(
    ends: tuple[Kept, socket.socket],
) -> None:
    kept, end = ends
    pieces = [b"head", bytes(5_000_000), b"tail"]
    got = bytearray()

    def take() -> None:
        while not got.endswith(b"tail"):
            got.extend(end.recv(1 << 16))

    thread = threading.Thread(target=take)
    thread.start()
    kept.send(*pieces)
    thread.join()

    assert got == b"".join(pieces)


def test_an_answer_in_pieces_is_waited_for(ends: tuple[Kept, socket.socket]) -> None:
    kept, end = ends
    end.sendall(b"HTTP/1.1 200 OK\r\ncontent-le")
    threading.Timer(0.02, end.sendall, [b"ngth: 5\r\n\r\nhello"]).start()

    assert kept.receive() == b"hello"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 503 Full\r\nContent-Length: 4\r\n\r\nfull", "503 Full"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "expected a Content-Length"),
    ],
)
def test_any_other_answer_is_an_error(
    ends: tuple[Kept, socket.socket], answer: bytes, said: str
) -> None:
    kept, end = ends
    end.sendall(answer)

    with pytest.raises(ConnectionError, match=said):
        kept.receive()


def test_the_end_of_the_connection_is_an_error(ends: tuple[Kept, socket.socket]) -> None:
    kept, end = ends
    end.sendall(b"HTTP/1.1 200 OK\r\n")
    end.shutdown(socket.SHUT_WR)

    with pytest.raises(ConnectionError, match="ended the connection"):
        kept.receive()


def test_a_head_says_what_it_is_told() -> None:
    head = post("/x", 7, Content_Type="text/plain").decode()

    assert head.startswith("POST /x HTTP/1.1\r\n")
    assert "\r\nContent-Length: 7\r\n" in head
    assert "\r\nContent-Type: text/plain\r\n" in head
    assert head.endswith("\r\n\r\n")
