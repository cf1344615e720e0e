from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.datagram import (
    HEAD,
    LEAST_CHUNK,
    MOST_PARTS,
    BadDatagram,
    Cut,
    Head,
    ahead,
    payload_of,
    read_head,
    stream_of,
    time_of,
)

CUTS = st.builds(Cut.even, st.integers(1, 200_000), st.integers(500, 65_000), st.integers(0, 255))


def written(head: Head, payload: bytes = b"") -> bytes:
    datagram = bytearray(HEAD) + payload
    head.write_into(datagram, 0, head.part)
    return bytes(datagram)


@given(CUTS, st.data())
def test_a_head_is_read_as_it_was_written(cut: Cut, data: st.DataObject) -> None:
    word = st.integers(0, 2**32 - 1)
    is_parity = bool(cut.parity) and data.draw(st.booleans())
    part = data.draw(st.integers(0, (cut.groups if is_parity else cut.parts) - 1))
    head = Head(
        *(cut, data.draw(word), data.draw(word), data.draw(word)),
        *(part, is_parity, data.draw(st.booleans())),
    )

    assert read_head(written(head), max_length=200_000) == head


@given(CUTS)
def test_the_pieces_of_a_cut_are_the_whole_and_its_groups_are_all_pieces(cut: Cut) -> None:
    sizes = [cut.size(part) for part in range(cut.parts)]
    grouped = [part for group in range(cut.groups) for part in cut.members(group)]

    assert sum(sizes) == cut.length
    assert min(sizes) > 0
    assert set(sizes[:-1]) <= {cut.chunk}
    if cut.parity:
        assert sorted(grouped) == list(range(cut.parts))
        assert max(len(cut.members(group)) for group in range(cut.groups)) <= cut.parity


def test_pieces_that_follow_each_other_are_of_different_groups() -> None:
    cut = Cut.even(100_000, 1000, 8)

    assert (cut.parts, cut.groups) == (100, 13)
    assert list(cut.members(2)) == [2, 15, 28, 41, 54, 67, 80, 93]


def test_the_head_in_bytes() -> None:
    head = Head(Cut(3000, 1344, 8), 0x01020304, 7, 0x0A0B0C0D, 2, is_sealed=True)

    assert written(head).hex() == "465012080102030400000007000205400000 0bb8 0a0b0c0d".replace(
        " ", ""
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({0: b"X"}, "garbled"),
        ({2: b"\x20"}, "version"),
        ({2: b"\x14"}, "version"),
        ({12: b"\x00\x03"}, "claim"),  # the piece behind the last
        ({12: b"\xff\xff"}, "claim"),
        ({2: b"\x11"}, "claim"),  # parity of a frame without it
        ({2: b"\x11\x03", 12: b"\x00\x01"}, "claim"),  # of the group behind the last
        ({14: b"\x00\x00"}, "claim"),  # pieces of nothing
        ({14: b"\x00\x7f"}, "claim"),  # pieces that are too small
        ({16: b"\x00\x00\x00\x00"}, "claim"),  # nothing
        ({16: b"\x00\x00\x27\x11"}, "claim"),  # a byte too much
        ({16: b"\xff\xff\xff\xff"}, "claim"),
    ],
)
def test_what_cannot_be_is_told_by_its_reason(change: dict[int, bytes], reason: str) -> None:
    datagram = bytearray(written(Head(Cut(3000, 1000), 1, 2, 3)))
    for at, value in change.items():
        datagram[at : at + len(value)] = value

    with pytest.raises(BadDatagram) as caught:
        read_head(bytes(datagram), max_length=10_000)

    assert caught.value.reason == reason


def test_a_datagram_shorter_than_a_head_is_garbled() -> None:
    for length in range(HEAD):
        with pytest.raises(BadDatagram) as caught:
            read_head(written(Head(Cut(3000, 1000), 1, 2, 3))[:length], max_length=10_000)
        assert caught.value.reason == "garbled"


def test_more_pieces_than_can_be_numbered_are_no_claim() -> None:
    room = MOST_PARTS * LEAST_CHUNK
    fits = written(Head(Cut(room, LEAST_CHUNK), 1, 2, 3))
    read_head(fits, max_length=room + 1)

    with pytest.raises(BadDatagram):
        read_head(written(Head(Cut(room + 1, LEAST_CHUNK), 1, 2, 3)), max_length=room + 1)
    with pytest.raises(ValueError, match="expected at most"):
        Cut.even(MOST_PARTS * 500 + 1, 500)


@given(st.binary(max_size=100))
def test_any_bytes_are_a_head_or_refused(data: bytes) -> None:
    try:
        head = read_head(data, max_length=10_000)
        assert 0 < head.cut.parts <= MOST_PARTS
        assert head.cut.length <= 10_000
        payload_of(head, data)
    except BadDatagram:
        pass


@pytest.mark.parametrize("length", [999, 1001, 0])
def test_a_piece_has_the_size_that_its_head_says(length: int) -> None:
    head = Head(Cut(3000, 1000), 1, 2, 3)

    assert payload_of(head, written(head, b"p" * 1000) + b"behind", behind=6) == b"p" * 1000
    with pytest.raises(BadDatagram) as caught:
        payload_of(head, written(head, b"p" * length))
    assert caught.value.reason == "size"


def test_numbers_go_on_behind_the_last() -> None:
    assert ahead(3, 2**32 - 2) == 5
    assert ahead(2**32 - 2, 3) == -5
    assert ahead(7, 7) == 0
    assert time_of(2**32 / 1000 + 0.005) == 5


def test_a_stream_is_a_camera_and_an_epoch() -> None:
    assert len({stream_of("a", "bc"), stream_of("ab", "c"), stream_of("a", "b")}) == 3
