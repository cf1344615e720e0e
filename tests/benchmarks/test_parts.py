from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.measuring.parts import Head, PartCounter, Pictures

HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n"
    b"Server: x\r\n\r\n"
)
DELIMITER = b"--frame\r\n"
JPEGS = [b"\xff\xd8" + bytes([n]) * n + b"-frame--frame\r" + b"\xff\xd9" for n in range(1, 30)]
#: As a server with chunked transfer coding writes them.
BODY = DELIMITER + b"".join(
    b"3f\r\nContent-Type: image/jpeg\r\n\r\n" + jpeg + b"\r\n" + DELIMITER + b"\r\n"
    for jpeg in JPEGS
)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """Return `data` in the pieces that begin at `places`."""
    ends = sorted({place % len(data) for place in places} - {0})
    return [data[a:b] for a, b in zip([0, *ends], [*ends, len(data)], strict=True)]


@given(st.lists(st.integers(0, len(BODY)), max_size=60))
def test_every_part_is_counted_once_however_the_body_is_cut(places: list[int]) -> None:
    counter = PartCounter(DELIMITER)

    assert sum(map(counter.count, cut(BODY, places))) == len(JPEGS) + 1


def test_a_body_that_comes_byte_by_byte_is_counted_too() -> None:
    counter = PartCounter(DELIMITER)

    assert sum(counter.count(BODY[n : n + 1]) for n in range(len(BODY))) == len(JPEGS) + 1


@given(st.lists(st.integers(0, len(BODY)), max_size=60))
def test_every_picture_is_cut_out_whole(places: list[int]) -> None:
    pictures = Pictures(DELIMITER)

    assert [jpeg for piece in cut(BODY, places) for jpeg in pictures.feed(piece)] == JPEGS


@given(st.lists(st.integers(0, len(HEAD)), max_size=10))
def test_the_head_is_read_however_it_is_cut(places: list[int]) -> None:
    head = Head()

    body = b"".join(map(head.feed, cut(HEAD + b"rest", places)))

    assert (head.delimiter, body) == (DELIMITER, b"rest")


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (HEAD.replace(b"200 OK", b"404 Not Found"), "404"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n", "text/html"),
        (b"x" * 100_000, "do not end"),
    ],
)
def test_another_reply_is_an_error_that_shows_it(reply: bytes, words: str) -> None:
    with pytest.raises(ConnectionError, match=words):
        Head().feed(reply)
