"""H.264 out of RTP packets."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sender.rtsp import nal
from sender.rtsp.depacketiser import make_depacketiser
from sender.rtsp.rtp import RtpPacket
from sender.rtsp.unit import MAX_UNIT_BYTES, Unreadable
from tests.sender.rtsp.packing import (
    FIRST,
    STEP,
    feed,
    flat,
    h264,
    muxed,
    nals,
    numbered,
    packed_h264,
    packet,
    time_of,
    units_of,
)

SPS, PPS, AUD = b"\x67\x42\x00\x1e", b"\x68\xce\x38\x80", b"\x09\x10"
#: The first bit behind the header says that a slice is its picture's first.
IDR, P = b"\x65\x88\x80idr", b"\x41\x9a\x80p"
IDR_LATER, P_LATER = b"\x65\x08\x80idr", b"\x41\x1a\x80p"
RECOVERY_NOW, RECOVERY_IN_2 = b"\x06\x06\x01\xc4\x80", b"\x06\x06\x01\x64\x80"
FU = bytes([0x7C])


def picture(*units: bytes, at: int = 0, seq: int = 0) -> list[RtpPacket]:
    """Return a picture of which each NAL unit is a packet."""
    return numbered(units, timestamp=(FIRST + at * STEP) % 2**32, seq=seq)


@pytest.mark.parametrize("mtu", [20, 100, 1400, 65535])
def test_every_nal_unit_comes_out_as_it_went_in(mtu: int) -> None:
    depacketiser = make_depacketiser("H264", {})
    for one in h264("slices=4", frames=4):
        (unit,) = feed(depacketiser, numbered(packed_h264(nals(one.data), mtu)))

        assert nals(unit.data) == nals(one.data)
        assert not unit.is_damaged


@given(
    units=st.lists(st.binary(min_size=1, max_size=80), min_size=1, max_size=12),
    kinds=st.lists(st.sampled_from([1, 5, 6, 7, 8, 9, 12]), min_size=12, max_size=12),
    mtu=st.integers(4, 90),
)
def test_nal_units_of_any_size_come_out_of_packets_of_any_size(
    units: list[bytes], kinds: list[int], mtu: int
) -> None:
    named = [bytes([0x60 | kind]) + unit for kind, unit in zip(kinds, units, strict=False)]
    named.append(P)
    (unit,) = units_of("H264", numbered(packed_h264(named, mtu)))

    assert unit.data == b"".join(nal.START_CODE + one for one in named)


def test_a_unit_says_when_it_was_captured_and_when_its_last_packet_came() -> None:
    first, last = picture(SPS, IDR, at=7)
    (unit,) = units_of("H264", [replace(first, arrived=1.0), replace(last, arrived=2.5)])

    assert unit.timestamp == time_of(7)
    assert unit.arrived == 2.5


def test_a_marker_ends_a_unit() -> None:
    depacketiser = make_depacketiser("H264", {})
    *packets, last = picture(SPS, PPS, IDR, IDR_LATER)

    assert feed(depacketiser, packets) == []
    assert len(depacketiser.put(last, gap=False)) == 1


def test_without_markers_a_unit_ends_when_the_next_begins() -> None:
    packets = [
        replace(one, marker=False)
        for place in range(3)
        for one in picture(P, P_LATER, at=place, seq=2 * place)
    ]
    units = units_of("H264", packets)

    assert [unit.timestamp for unit in units] == [time_of(0), time_of(1)]
    assert [nals(unit.data) for unit in units] == [[P, P_LATER]] * 2


def test_a_packet_ends_two_units_when_the_first_lost_its_marker() -> None:
    depacketiser = make_depacketiser("H264", {})
    depacketiser.put(picture(IDR)[0], gap=False)
    depacketiser.put(packet(P, timestamp=time_of(1)), gap=False)
    units = depacketiser.put(packet(P, timestamp=time_of(2), marker=True), gap=True)

    assert [unit.timestamp for unit in units] == [time_of(1), time_of(2)]
    assert all(unit.is_damaged for unit in units)


@pytest.mark.parametrize("later", [0, 1])
def test_parameter_sets_with_a_marker_of_their_own_go_before_the_picture(later: int) -> None:
    sets = picture(AUD, SPS, PPS)
    units = units_of("H264", [*sets, *picture(IDR, at=later, seq=3)])

    assert [nals(unit.data) for unit in units] == [[AUD, SPS, PPS, IDR]]
    assert units[0].timestamp == time_of(later)
    assert not units[0].is_damaged


@pytest.mark.parametrize(
    ("units", "is_key"),
    [
        pytest.param((SPS, PPS, IDR), True, id="IDR"),
        pytest.param((IDR,), True, id="IDR without parameter sets"),
        pytest.param((P,), False, id="P"),
        pytest.param((RECOVERY_NOW, P), True, id="recovery point"),
        pytest.param((b"\x06\x01\x02\xff\xff" + RECOVERY_NOW[1:], P), True, id="second message"),
        pytest.param((b"\x06\x05\xff\x01" + b"u" * 256 + b"\x06\x01\xc4\x80", P), True, id="long"),
        pytest.param((RECOVERY_IN_2, P), False, id="recovery later"),
        pytest.param((b"\x06\x06", P), False, id="recovery point cut off"),
        pytest.param((b"\x06\x06\x01\x00\x80", P), False, id="no number"),
        pytest.param((b"\x06\xff\xff\xff", P), False, id="endless type"),
        pytest.param(
            (b"\x06\x01\x04\0\0\x03\x01\xff" + RECOVERY_NOW[1:], P), True, id="emulation prevention"
        ),
        pytest.param((b"\x06", P), False, id="empty SEI"),
    ],
)
def test_where_a_decoder_can_start_is_seen(units: tuple[bytes, ...], is_key: bool) -> None:
    _, unit = units_of("H264", [*picture(P), *picture(*units, at=1, seq=1)])

    assert unit.is_key is is_key


def test_a_gradual_refresh_is_done_after_as_many_reference_pictures_as_it_says() -> None:
    not_a_reference = b"\x01\x9a\x80b"
    row = [(P,), (RECOVERY_IN_2, P), (P,), (not_a_reference,), (P,), (P,)]
    packets = flat(picture(*units, at=n, seq=10 * n) for n, units in enumerate(row))
    packets = [replace(one, seq=place) for place, one in enumerate(packets)]

    keys = [unit.is_key for unit in units_of("H264", packets)]
    assert keys == [False, False, False, False, True, False]


def test_a_gradual_refresh_with_a_gap_in_it_is_none() -> None:
    depacketiser = make_depacketiser("H264", {})
    feed(depacketiser, picture(RECOVERY_IN_2, P))
    units = [
        unit
        for place in range(1, 5)
        for unit in depacketiser.put(picture(P, at=place)[0], gap=place == 1)
    ]

    assert [unit.is_key for unit in units] == [False] * 4


def test_a_gradual_refresh_with_a_damaged_picture_in_it_is_none() -> None:
    cut_off = FU + b"\x81\x9aone"
    row = [(RECOVERY_IN_2, P), (cut_off, P_LATER), (P,), (P,)]
    packets = flat(picture(*units, at=n) for n, units in enumerate(row))
    packets = [replace(one, seq=place) for place, one in enumerate(packets)]

    assert [unit.is_key for unit in units_of("H264", packets)] == [False] * 4


def test_a_refresh_that_x264_makes_is_seen() -> None:
    pictures = h264("intra-refresh=1", "keyint=12", "bframes=0", frames=40)
    units = units_of("H264", flat(muxed("h264", pictures[5:])))
    keys = [place + 5 for place, unit in enumerate(units) if unit.is_key]

    # 160 pixels are ten macroblocks; the picture at 12 says that it takes 8 more pictures.
    assert keys[:2] == [20, 32]


# What a stream looks like that lost packets: (packets of two pictures and a key picture, and which
# of them is missing) gives (damaged, damaged, damaged).
@pytest.mark.parametrize(
    ("missing", "damaged"),
    [
        pytest.param(set(), [False, False, False], id="none"),
        pytest.param({2}, [False, True, False], id="first of a picture"),
        pytest.param({3}, [False, True, False], id="middle"),
        pytest.param({4}, [False, True, False], id="last, with the marker"),
        pytest.param({4, 5}, [False, True, False], id="marker, and the next one's first"),
        pytest.param({2, 3, 4}, [False, False], id="a whole picture before a key picture"),
        pytest.param({7}, [False, False, True], id="first slice behind parameter sets"),
        pytest.param({5, 6}, [False, False, False], id="parameter sets before a first slice"),
        pytest.param({5, 6, 7}, [False, False, True], id="first slice and parameter sets"),
    ],
)
def test_a_unit_with_missing_packets_is_damaged(missing: set[int], damaged: list[bool]) -> None:
    packets = [
        *picture(IDR, IDR_LATER, seq=0),
        *picture(P, P_LATER, P_LATER, at=1, seq=2),
        *picture(SPS, PPS, IDR, IDR_LATER, at=2, seq=5),
    ]
    units = units_of("H264", [one for one in packets if one.seq not in missing])

    assert [unit.is_damaged for unit in units] == damaged


def test_a_picture_after_a_gap_is_damaged_though_it_is_whole() -> None:
    depacketiser = make_depacketiser("H264", {})
    feed(depacketiser, picture(IDR))
    (after,) = depacketiser.put(picture(P, at=2)[0], gap=True)
    (later,) = depacketiser.put(picture(P, at=3)[0], gap=False)

    assert after.is_damaged
    assert not later.is_damaged


def test_a_gap_before_a_packet_without_payload_counts() -> None:
    depacketiser = make_depacketiser("H264", {})
    feed(depacketiser, picture(IDR))
    assert depacketiser.put(packet(b"", timestamp=time_of(1)), gap=True) == []
    (unit,) = depacketiser.put(picture(P, at=1)[0], gap=False)

    assert unit.is_damaged


def test_a_stream_that_begins_in_the_middle_of_a_key_picture_begins_damaged() -> None:
    (unit,) = units_of("H264", picture(IDR_LATER))

    assert unit.is_key
    assert unit.is_damaged


def test_what_was_said_of_a_lost_picture_is_not_said_of_the_next() -> None:
    depacketiser = make_depacketiser("H264", {})
    feed(depacketiser, picture(IDR))
    depacketiser.put(packet(RECOVERY_NOW, timestamp=time_of(1)), gap=False)
    (unit,) = depacketiser.put(picture(P, at=2)[0], gap=True)

    assert not unit.is_key
    assert unit.is_damaged


def test_what_was_said_of_a_picture_without_slices_is_not_said_of_the_next() -> None:
    depacketiser = make_depacketiser("H264", {})
    feed(depacketiser, picture(IDR))
    feed(depacketiser, picture(RECOVERY_NOW, FU + b"\x41end", at=1, seq=1))
    (unit,) = feed(depacketiser, picture(P, at=2, seq=3))

    assert not unit.is_key


def test_fragments_without_a_beginning_are_dropped_and_a_picture_is_lost() -> None:
    depacketiser = make_depacketiser("H264", {})
    feed(depacketiser, picture(IDR))
    fragments = [FU + bytes([0x01]) + b"middle", FU + bytes([0x41]) + b"end"]
    (unit,) = feed(depacketiser, picture(SPS, *fragments, at=1, seq=1))
    assert unit.data == b""
    assert unit.is_damaged

    (unit,) = feed(depacketiser, picture(IDR, at=2, seq=4))
    assert nals(unit.data) == [SPS, IDR]
    assert not unit.is_damaged


def test_the_rest_of_fragments_behind_a_gap_is_dropped() -> None:
    fragments = [FU + b"\x81\x9aone", FU + b"\x01two", FU + b"\x01three", FU + b"\x41four"]
    packets = picture(*fragments)
    _, unit = units_of("H264", [*picture(IDR, seq=-1), packets[0], *packets[2:]])

    assert nals(unit.data) == [b"\x61\x9aone"]
    assert unit.is_damaged


def test_fragments_without_an_end_damage_their_unit() -> None:
    _, unit = units_of("H264", [*picture(IDR), *picture(FU + b"\x81\x9aone", P_LATER, at=1, seq=1)])

    assert unit.is_damaged
    _, unit = units_of("H264", [*picture(IDR), *picture(FU + b"\x81\x9aone", at=1, seq=1)])
    assert unit.is_damaged


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(FU, id="FU-A without its header"),
        pytest.param(b"\x78\x00", id="half a size"),
        pytest.param(b"\x78\x00\x00", id="size 0"),
        pytest.param(b"\x78\x00\x05\x41\x9a", id="too long"),
    ],
)
def test_a_malformed_payload_damages_its_unit(payload: bytes) -> None:
    _, unit = units_of("H264", [*picture(IDR), *picture(P, payload, at=1, seq=1)])

    assert nals(unit.data) == [P]
    assert unit.is_damaged
    _, unit = units_of("H264", [*picture(IDR), *picture(payload, at=1, seq=1)])
    assert unit.data == b""
    assert unit.is_damaged


@pytest.mark.parametrize("kind", [0, 25, 26, 27, 29])
def test_other_kinds_of_packets_are_left_to_others(kind: int) -> None:
    with pytest.raises(Unreadable, match=f"got a packet of type {kind}$"):
        units_of("H264", picture(bytes([0x60 | kind]) + b"1234"))


@pytest.mark.parametrize("kind", [0, 25, 26, 27, 29])
def test_one_packet_of_another_kind_is_a_damaged_one(kind: int) -> None:
    strange = bytes([0x60 | kind]) + b"1234"
    packets = [*picture(IDR), *picture(P, strange, at=1, seq=1), *picture(IDR, at=2, seq=3)]

    assert [unit.is_damaged for unit in units_of("H264", packets)] == [False, True, False]


@pytest.mark.parametrize("kind", [30, 31])
def test_reserved_kinds_of_packets_are_passed_over(kind: int) -> None:
    (unit,) = units_of("H264", picture(SPS, bytes([0x60 | kind]) + b"1234", IDR))

    assert nals(unit.data) == [SPS, IDR]
    assert not unit.is_damaged


def test_the_interleaved_mode_is_left_to_others() -> None:
    with pytest.raises(Unreadable, match="got 2"):
        make_depacketiser("H264", {"packetization-mode": "2"})


def test_markers_in_the_middle_of_pictures_are_left_to_others() -> None:
    depacketiser = make_depacketiser("H264", {})
    feed(depacketiser, picture(IDR))
    with pytest.raises(Unreadable, match="marker bit"):
        feed(depacketiser, picture(IDR_LATER, seq=1))


def test_two_fields_with_a_marker_each_are_two_units() -> None:
    units = units_of("H264", [*picture(IDR), *picture(P, seq=1)])

    assert len(units) == 2


def test_a_unit_that_is_too_large_is_thrown_away() -> None:
    depacketiser = make_depacketiser("H264", {})
    fragment = FU + b"\x01" + bytes(60_000)
    depacketiser.put(packet(FU + b"\x85\x88"), gap=False)
    for _ in range(MAX_UNIT_BYTES // 60_000 + 1):
        assert depacketiser.put(packet(fragment), gap=False) == []
    (unit,) = depacketiser.put(packet(FU + b"\x45", marker=True), gap=False)
    assert unit.data == b""
    assert unit.is_damaged

    (unit,) = feed(depacketiser, picture(IDR, at=1))
    assert nals(unit.data) == [IDR]


def test_nothing_grows_for_ever_where_no_picture_comes() -> None:
    depacketiser = make_depacketiser("H264", {})
    units = [
        unit
        for place in range(nal.MAX_NALS + 1)
        for unit in depacketiser.put(packet(AUD, timestamp=place, marker=True), gap=False)
    ]

    assert [(unit.data, unit.is_damaged) for unit in units] == [(b"", True)]


@given(
    st.lists(
        st.tuples(
            st.one_of(
                st.binary(max_size=12),
                st.builds(
                    lambda head, rest: head + rest,
                    st.sampled_from(
                        [FU + b"\x85", FU + b"\x01", FU + b"\x41", b"\x78\0\2\x41\x9a"]
                    ),
                    st.binary(max_size=6),
                ),
                st.sampled_from([SPS, IDR, P, P_LATER, RECOVERY_IN_2]),
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
    depacketiser = make_depacketiser("H264", {})
    came = left = 0
    try:
        for payload, timestamp, marker, gap in packets:
            came += len(payload) * 6 + 8
            one = packet(payload, timestamp=timestamp, marker=marker)
            left += sum(len(unit.data) for unit in depacketiser.put(one, gap=gap))
    except Unreadable:
        pass
    assert left <= came
