"""Requests are forwarded whole, a share of the replies is kept, and it is known which."""

from __future__ import annotations

import pytest

from shared.http_client import HttpClient, NoReply
from tests.chaos.proxy import ChaosProxy
from tests.chaos.reply_cut import ReplyCut
from tests.chaos.request_reader import RequestReader
from tests.sender.doubles import PostServer


def post(client: HttpClient, number: int) -> str:
    """Return what became of a frame: its reply's status, or why there was none."""
    headers = {"X-Frame-Epoch": "e", "X-Frame-Seq": str(number)}
    try:
        return str(client.post("/cameras/cam1/frames", b"x" * 1000, headers).status)
    except NoReply as exc:
        return exc.reason


def outcomes(cut: ReplyCut, count: int = 40) -> tuple[list[str], int]:
    """Post frames on a fresh connection each; return what became of them, and how many came."""
    with PostServer() as server, ChaosProxy(server.port, cut=cut) as proxy:
        seen = []
        for number in range(count):
            client = HttpClient("127.0.0.1", proxy.port, deadline=30)
            seen.append(post(client, number))
            client.close()
        return seen, len(server.requests)


@pytest.mark.parametrize("after", [0, 9, 20])
def test_the_log_says_which_replies_did_not_come(after: int) -> None:
    cut = ReplyCut(0.3, after=after, seed=5)
    seen, came = outcomes(cut)

    assert came == 40
    assert [exchange.request.frame for exchange in cut.log] == [("e", str(n)) for n in range(40)]
    cuts = [exchange.cut for exchange in cut.log]
    assert 4 <= sum(cuts) <= 20
    assert seen == ["reset" if was_cut else "202" for was_cut in cuts]


def test_the_same_seed_cuts_the_same_replies() -> None:
    def cuts(seed: int) -> list[bool]:
        cut = ReplyCut(0.5, seed=seed)
        outcomes(cut, 20)
        return [exchange.cut for exchange in cut.log]

    assert cuts(1) == cuts(1) != cuts(2)


def test_a_reply_can_be_kept_in_silence() -> None:
    cut = ReplyCut(1.0, how="silence")
    with PostServer() as server, ChaosProxy(server.port, cut=cut) as proxy:
        client = HttpClient("127.0.0.1", proxy.port, deadline=0.5)
        assert post(client, 0) == "timeout"
        client.close()

    assert len(server.requests) == 1


def test_a_connection_goes_on_after_a_reply_that_was_let_through() -> None:
    cut = ReplyCut(0.0)
    with PostServer() as server, ChaosProxy(server.port, cut=cut) as proxy:
        client = HttpClient("127.0.0.1", proxy.port, deadline=30)
        assert [post(client, number) for number in range(3)] == ["202"] * 3
        client.close()

    assert server.connections == 1
    assert [exchange.connection for exchange in cut.log] == [0, 0, 0]


REQUESTS = (
    b"POST /a HTTP/1.1\r\nX-Frame-Seq: 1\r\nContent-Length: 5\r\n\r\nhello"
    b"GET /b HTTP/1.1\r\nHost: x\r\n\r\n"
    b"POST /c HTTP/1.1\r\ncontent-length:  3\r\n\r\n\r\n\r"
)


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_requests_are_found_however_they_are_cut(size: int) -> None:
    reader = RequestReader()
    found = []
    for start in range(0, len(REQUESTS), size):
        for request in reader.feed(REQUESTS[start : start + size]):
            found.append((request.line, start + size >= len(REQUESTS)))

    assert [line.split()[1] for line, _ in found] == ["/a", "/b", "/c"]
    assert found[-1][1]


def test_a_body_without_a_length_is_left_alone() -> None:
    reader = RequestReader()
    chunked = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"

    assert list(reader.feed(chunked + REQUESTS)) == []
