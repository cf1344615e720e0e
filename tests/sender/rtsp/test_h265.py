"""H.265 out of RTP packets. What it has in common with H.264 is tested there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sender.rtsp.depacketiser import make_depacketiser
from sender.rtsp.rtp import RtpPacket
from sender.rtsp.unit import Unreadable
from tests.sender.rtsp.packing import (
    FIRST,
    STEP,
    feed,
    flat,
    h265,
    muxed,
    nals,
    numbered,
    packed_h265,
    packet,
    units_of,
)


def unit_of(kind: int, body: bytes = b"\xaf\x10") -> bytes:
    """Return a NAL unit; the body's first bit says that it is its picture's first slice."""
    return bytes([kind << 1, 1]) + body


VPS, SPS, PPS, AUD, END = (unit_of(kind) for kind in (32, 33, 34, 35, 36))
IDR, CRA, P = unit_of(19), unit_of(21), unit_of(1)
IDR_LATER, P_LATER = unit_of(19, b"\x2f\x10"), unit_of(1, b"\x2f\x10")
FU = bytes([49 << 1, 1])


def picture(*units: bytes, at: int = 0, seq: int = 0) -> list[RtpPacket]:
    """Return a picture of which each NAL unit is a packet."""
    return numbered(units, timestamp=(FIRST + at * STEP) % 2**32, seq=seq)


@pytest.mark.parametrize("mtu", [20, 100, 1400, 65535])
def test_every_nal_unit_comes_out_as_it_went_in(mtu: int) -> None:
    depacketiser = make_depacketiser("H265", {})
    for one in h265(frames=4):
        (unit,) = feed(depacketiser, numbered(packed_h265(nals(one.data), mtu)))

        assert nals(unit.data) == nals(one.data)
        assert not unit.is_damaged


@given(
    units=st.lists(
        st.tuples(st.integers(0, 47), st.integers(0, 0x81), st.binary(max_size=80)), max_size=12
    ),
    mtu=st.integers(8, 90),
)
def test_nal_units_of_any_size_come_out_of_packets_of_any_size(
    units: list[tuple[int, int, bytes]], mtu: int
) -> None:
    # The header's outer bits are of the forbidden bit and of the layer; they are kept.
    named = [bytes([kind << 1 | outer & 0x81, 1]) + body for kind, outer, body in units]
    named.append(P)
    (unit,) = units_of("H265", numbered(packed_h265(named, mtu)))

    assert unit.data == b"".join(b"\0\0\0\1" + one for one in named)


@pytest.mark.parametrize(
    ("kind", "is_key"),
    [(0, False), (1, False), (8, False), (9, False), *((kind, True) for kind in range(16, 22))],
)
def test_where_a_decoder_can_start_is_seen(kind: int, is_key: bool) -> None:
    (_, unit) = units_of("H265", [*picture(P), *picture(unit_of(kind), at=1, seq=1)])

    assert unit.is_key is is_key


def test_the_key_pictures_of_x265_are_seen() -> None:
    units = units_of("H265", flat(muxed("h265", h265("keyint=4", "bframes=0", frames=10))))

    assert [place for place, unit in enumerate(units) if unit.is_key] == [0, 4, 8]


@pytest.mark.parametrize(
    ("missing", "damaged"),
    [
        pytest.param(set(), [False, False, False], id="none"),
        pytest.param({2}, [False, True, False], id="first of a picture"),
        pytest.param({3}, [False, True, False], id="last, with the marker"),
        pytest.param({2, 3}, [False, False], id="a whole picture before a key picture"),
        pytest.param({4, 5, 6}, [False, False, False], id="parameter sets before a first slice"),
        pytest.param({4, 5, 6, 7}, [False, False, True], id="first slice of a key picture"),
        pytest.param({8}, [False, False, True], id="last slice of a key picture"),
    ],
)
def test_a_unit_with_missing_packets_is_damaged(missing: set[int], damaged: list[bool]) -> None:
    packets = [
        *picture(IDR, IDR_LATER, seq=0),
        *picture(P, P_LATER, at=1, seq=2),
        *picture(VPS, SPS, PPS, IDR, IDR_LATER, at=2, seq=4),
        packet(AUD, seq=9, timestamp=FIRST),
        *picture(P, at=4, seq=10),
    ]
    units = units_of("H265", [one for one in packets if one.seq not in missing])
    if 8 in missing:  # the marker went with it: the next unit's time ended it
        assert units[-1].is_damaged

    assert [unit.is_damaged for unit in units[:-1]] == damaged


def test_an_end_of_sequence_is_a_header_alone() -> None:
    (unit,) = units_of("H265", picture(VPS, IDR, b"\x48\x01"))

    assert nals(unit.data) == [VPS, IDR, b"\x48\x01"]
    assert not unit.is_damaged


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"\x02", id="half a header"),
        pytest.param(FU, id="fragment without its header"),
        pytest.param(FU + b"\x01middle", id="fragment without a beginning"),
        pytest.param(b"\x60\x01\x00", id="half a size"),
        pytest.param(b"\x60\x01\x00\x01\x02", id="size of half a header"),
        pytest.param(b"\x60\x01\x00\x09" + P, id="too long"),
    ],
)
def test_a_malformed_payload_damages_its_unit(payload: bytes) -> None:
    _, unit = units_of("H265", [*picture(IDR), *picture(P, payload, at=1, seq=1)])

    assert nals(unit.data) == [P]
    assert unit.is_damaged


def test_packets_of_reserved_kinds_are_passed_over() -> None:
    (unit,) = units_of("H265", picture(VPS, unit_of(51), unit_of(63), IDR))

    assert nals(unit.data) == [VPS, IDR]


def test_paci_packets_are_left_to_others() -> None:
    with pytest.raises(Unreadable, match="PACI"):
        units_of("H265", picture(unit_of(50)))


def test_one_paci_packet_among_others_is_a_damaged_one() -> None:
    packets = [*picture(IDR), *picture(P, unit_of(50), at=1, seq=1), *picture(IDR, at=2, seq=3)]

    assert [unit.is_damaged for unit in units_of("H265", packets)] == [False, True, False]


@pytest.mark.parametrize("value", ["2", "32767", "x", ""])
def test_decoding_order_numbers_are_left_to_others(value: str) -> None:
    with pytest.raises(Unreadable, match="expected sprop-max-don-diff 0, got"):
        make_depacketiser("H265", {"sprop-max-don-diff": value})


def test_a_track_may_say_that_it_has_no_decoding_order_numbers() -> None:
    make_depacketiser("H265", {"sprop-max-don-diff": "0"})


@given(
    st.lists(
        st.tuples(
            st.one_of(
                st.binary(max_size=12),
                st.builds(
                    lambda head, rest: head + rest,
                    st.sampled_from([FU + b"\x93", FU + b"\x01", FU + b"\x41", b"\x60\x01\0\2"]),
                    st.binary(max_size=6),
                ),
                st.sampled_from([VPS, IDR, P, P_LATER]),
            ),
            st.integers(0, 3),
            st.booleans(),
            st.booleans(),
        ),
        max_size=60,
    )
)
def test_any_packets_give_units_or_are_unreadable(
    packets: list[tuple[bytes, int, bool, bool]],
) -> None:
    depacketiser = make_depacketiser("H265", {})
    came = left = 0
    try:
        for payload, timestamp, marker, gap in packets:
            came += len(payload) * 6 + 8
            one = packet(payload, timestamp=timestamp, marker=marker)
            left += sum(len(unit.data) for unit in depacketiser.put(one, gap=gap))
    except Unreadable:
        pass
    assert left <= came
