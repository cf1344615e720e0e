"""Bytes of an RTSP connection, cut into packets and messages."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sender.rtsp.inbox import MAX_GARBAGE_BYTES, Inbox, Item, Packet
from sender.rtsp.message import MAX_BODY_BYTES, MAX_HEAD_BYTES, Garbled, Reply, Request

RTP = b"\x80\x60" + bytes(10)
OK = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n"


def packet(data: bytes = RTP, channel: int = 0) -> bytes:
    return b"$" + bytes([channel]) + len(data).to_bytes(2, "big") + data


def filled(*pieces: bytes, channels: tuple[int, int] = (0, 1)) -> Inbox:
    inbox = Inbox()
    inbox.listen_to(channels)
    for piece in pieces:
        feed(inbox, piece)
    return inbox


def feed(inbox: Inbox, data: bytes) -> None:
    """Put `data` in; raise Garbled when that is what came out last."""
    while data:
        room = inbox.room()
        part, data = data[: len(room)], data[len(room) :]
        room[: len(part)] = part
        inbox.take(len(part), 7.0)
        if inbox.items and isinstance(last := inbox.items[-1], Garbled):
            raise last


def test_packets_and_messages_come_out_in_order() -> None:
    body = b"$\0\0\4 is no packet in here"
    reply = b"RTSP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    inbox = filled(packet(b"a") + reply + packet(b"b", 1) + b"OPTIONS * RTSP/1.0\n\n" + packet())

    a, b, c, d, e = inbox.items
    assert (a, c, e) == (Packet(0, b"a", 7.0), Packet(1, b"b", 7.0), Packet(0, RTP, 7.0))
    assert isinstance(b, Reply)
    assert b.body == body
    assert isinstance(d, Request)
    assert d.method == "OPTIONS"


def test_other_channels_are_left_out() -> None:
    inbox = filled(packet(b"audio", 2) + packet(b"b", 5) + packet(b"c", 4), channels=(4, 5))

    assert list(inbox.items) == [Packet(5, b"b", 7.0), Packet(4, b"c", 7.0)]


def test_a_packet_may_be_empty_and_as_long_as_it_can_be() -> None:
    inbox = filled(packet(b"") + packet(bytes(0xFFFF)) * 9)

    assert [len(item.data) for item in inbox.items if isinstance(item, Packet)] == [
        0,
        *[0xFFFF] * 9,
    ]


def test_a_packet_is_there_with_its_last_byte() -> None:
    inbox = filled(packet()[:-1])
    assert not inbox.items

    feed(inbox, packet()[-1:])
    assert len(inbox.items) == 1


def test_empty_lines_between_messages_are_harmless() -> None:
    assert len(filled(OK + b"\r\n\r\n" + packet() + b"\n" + OK).items) == 3


@pytest.mark.parametrize("garbage", [b"\0", b"garbage ", b"$\1\0\0" + b"$\0\0\x09xyz", b"RTSQ"])
@pytest.mark.parametrize("behind", [packet(), packet(RTP, 1), OK])
def test_behind_garbage_it_goes_on_where_something_plainly_begins(
    garbage: bytes, behind: bytes
) -> None:
    inbox = filled(packet(b"before") + b"#" + garbage + behind + packet(b"after"))

    before, found, after = inbox.items
    assert before == Packet(0, b"before", 7.0)
    assert after == Packet(0, b"after", 7.0)
    assert isinstance(found, Reply) or (isinstance(found, Packet) and found.data == RTP)


def test_a_packet_that_is_shorter_than_it_says_costs_only_its_neighbours() -> None:
    wrong = packet()[:2] + b"\0\x20" + RTP

    inbox = filled(packet(b"a") + wrong + packet() * 5 + packet(b"z"))

    data = [item.data for item in inbox.items if isinstance(item, Packet)]
    assert data[0] == b"a"
    assert data[-1] == b"z"
    assert data[2:-1].count(RTP) >= 3


def test_garbage_ends_the_connection_at_last() -> None:
    filled(packet() + b"x" * MAX_GARBAGE_BYTES + packet())

    with pytest.raises(Garbled, match="bytes came that are no RTSP and no RTP"):
        filled(packet() + b"x" * (MAX_GARBAGE_BYTES + 8))
    with pytest.raises(Garbled):
        filled(*[b"x"] * (MAX_GARBAGE_BYTES + 8))


def test_garbage_is_counted_from_the_last_packet() -> None:
    garbage = b"x" * (MAX_GARBAGE_BYTES - 100)

    assert len(filled((garbage + packet()) * 4).items) == 4


@pytest.mark.parametrize("size", [1, 1000, 1 << 20])
def test_a_head_has_a_limit_however_it_comes(size: int) -> None:
    def pieces(data: bytes) -> list[bytes]:
        return [data[at : at + size] for at in range(0, len(data), size)]

    first = b"RTSP/1.0 200 OK\r\nA: "
    longest = first + b"b" * (MAX_HEAD_BYTES - len(first))
    assert len(filled(*pieces(longest + b"\r\n\r\n")).items) == 1
    with pytest.raises(Garbled, match="bytes of headers"):
        filled(*pieces(longest + b"b\r\n\r\n"))
    with pytest.raises(Garbled, match="bytes of headers"):
        filled(*pieces(longest + b"b" * 8))


def test_a_body_has_a_limit() -> None:
    head = b"RTSP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n"
    longest = MAX_BODY_BYTES

    (reply,) = filled(head % longest + bytes(longest)).items
    assert isinstance(reply, Reply)
    assert len(reply.body) == longest
    with pytest.raises(Garbled, match="bytes of body"):
        filled(head % (longest + 1))


PIECES = st.lists(
    st.builds(packet, st.binary(max_size=40) | st.just(RTP), st.integers(0, 3))
    | st.sampled_from(
        [OK, b"\r\n", b"RTSP/1.0 200 OK\r\nContent-Length: 9\r\n\r\n$\0\0\x0c56789", b"RT", b"$"]
    )
    | st.sampled_from([b"TEARDOWN * RTSP/1.0\r\nCSeq: 1\r\n\r\n", b"PLAY_", b"\r", packet()[:5]])
    | st.binary(max_size=20),
    max_size=12,
)


@given(pieces=PIECES, data=st.data())
def test_however_it_is_chopped_the_same_comes_out(pieces: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(pieces)
    cuts = data.draw(st.lists(st.integers(0, len(whole))).map(sorted))
    bounds = [0, *cuts, len(whole)]
    chopped = [whole[a:b] for a, b in pairwise(bounds)]

    assert (
        outcome([whole])
        == outcome(chopped)
        == outcome([whole[n : n + 1] for n in range(len(whole))])
    )


def outcome(pieces: list[bytes]) -> tuple[list[Item], str]:
    inbox = Inbox()
    inbox.listen_to((0, 1))
    try:
        for piece in pieces:
            feed(inbox, piece)
    except Garbled as exc:
        return list(inbox.items)[:-1], str(exc)
    return list(inbox.items), ""


def test_a_long_stream_comes_out_whole_in_any_reads() -> None:
    sent = [bytes([number % 251]) * (1 + 37 * number % 1400) for number in range(3000)]
    whole = b"".join(map(packet, sent))
    for size in (1000, 65_536, 200_000):
        inbox = filled(*[whole[at : at + size] for at in range(0, len(whole), size)])
        assert [item.data for item in inbox.items if isinstance(item, Packet)] == sent
