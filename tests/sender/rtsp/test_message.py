"""What a server says, read; what we say, written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sender.rtsp.message import (
    MAX_BODY_BYTES,
    MAX_HEADERS,
    Garbled,
    Reply,
    Request,
    read_head,
    write_reply,
    write_request,
    write_url,
)


def test_a_reply_is_read() -> None:
    head = b"RTSP/1.0 200 OK\r\nCSeq: 3\r\nContent-length:12\r\nPublic : DESCRIBE,  PLAY "

    reply = read_head(head)

    assert isinstance(reply, Reply)
    assert (reply.status, reply.reason, reply.cseq, reply.body_length) == (200, "OK", 3, 12)
    assert reply.header("public") == "DESCRIBE,  PLAY"
    assert reply.header("session") == ""


@pytest.mark.parametrize("head", [b"RTSP/1.0 404", b"RTSP/2.0  404  Not Found", b"RTSP/1.0 404 "])
def test_a_reply_may_be_without_words(head: bytes) -> None:
    reply = read_head(head)

    assert isinstance(reply, Reply)
    assert (reply.status, reply.cseq, reply.body_length) == (404, None, 0)


def test_a_request_is_read() -> None:
    request = read_head(b"TEARDOWN rtsp://cam/live RTSP/1.0\nCSeq: 9")

    assert isinstance(request, Request)
    assert (request.method, request.url, request.cseq) == ("TEARDOWN", "rtsp://cam/live", 9)


def test_headers_that_come_twice_keep_both_values() -> None:
    reply = read_head(b"RTSP/1.0 401 No\r\nWWW-Authenticate: Basic\r\nwww-authenticate: Digest")

    assert reply.headers["www-authenticate"] == ("Basic", "Digest")
    assert reply.header("www-authenticate") == "Basic"


def test_a_header_may_go_on_in_the_next_line_and_one_without_a_colon_is_left_out() -> None:
    reply = read_head(b"RTSP/1.0 200 OK\r\nPublic: PLAY,\r\n\tPAUSE\r\nnonsense\r\nCSeq: 1")

    assert reply.header("public") == "PLAY, PAUSE"
    assert reply.cseq == 1


@pytest.mark.parametrize(
    "head", [b"", b"HTTP/1.1 200 OK", b"RTSP/1.0 OK", b"PLAY RTSP/1.0", b"play rtsp://c RTSP/1.0"]
)
def test_what_is_no_rtsp_is_said(head: bytes) -> None:
    with pytest.raises(Garbled, match=r"expected a line such as 'RTSP/1\.0 200 OK', got"):
        read_head(head)


@pytest.mark.parametrize("length", [str(MAX_BODY_BYTES + 1), "-1", "1e3", "٣", "9" * 5000])
def test_a_body_has_a_sensible_length(length: str) -> None:
    reply = read_head(f"RTSP/1.0 200 OK\r\nContent-Length: {length}".encode())

    with pytest.raises(Garbled, match="at most 65536 bytes of body, got"):
        _ = reply.body_length


def test_the_number_of_headers_is_limited() -> None:
    head = b"RTSP/1.0 200 OK" + b"\r\nA: b" * MAX_HEADERS

    assert len(read_head(head).headers["a"]) == MAX_HEADERS
    with pytest.raises(Garbled, match="at most 128 headers, got 129"):
        read_head(head + b"\r\nA: b")


def test_a_request_is_written() -> None:
    assert write_request("PLAY", "rtsp://cam/", {"CSeq": "4", "Session": "x"}) == (
        b"PLAY rtsp://cam/ RTSP/1.0\r\nCSeq: 4\r\nSession: x\r\n\r\n"
    )
    assert write_reply(501, "No", {"CSeq": "4"}) == b"RTSP/1.0 501 No\r\nCSeq: 4\r\n\r\n"


def test_a_value_cannot_begin_a_header_of_its_own() -> None:
    written = write_request("PLAY", "rtsp://cam/", {"Session": "x\r\nEvil: 1"})

    assert b"\r\nEvil" not in written


def test_a_url_is_one_word_of_ascii() -> None:
    assert write_url("rtsp://cam/a b/ü?x=%41&y=[1]#\n") == "rtsp://cam/a%20b/%C3%BC?x=%41&y=[1]#%0A"
    # What came from a command line in another encoding than UTF-8.
    assert write_url("rtsp://cam/\udcfc") == "rtsp://cam/%FC"


@given(st.binary(max_size=300) | st.builds(lambda tail: b"RTSP/1.0 200 OK\r\n" + tail, st.binary()))
def test_any_bytes_are_read_or_refused(head: bytes) -> None:
    try:
        message = read_head(head)
        assert 0 <= message.body_length <= MAX_BODY_BYTES
    except Garbled:
        return
    assert not any("\n" in value or "\r" in value for v in message.headers.values() for value in v)
