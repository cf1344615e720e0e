"""JPEG out of RTP packets, bit for bit what the camera encoded."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import simplejpeg
from hypothesis import given
from hypothesis import strategies as st

from sender.picture import JpegPicture
from sender.rtsp.depacketiser import make_depacketiser
from sender.rtsp.rtp import RtpPacket
from sender.rtsp.unit import AccessUnit, Unreadable
from shared import codec, jpeg, pattern
from tests.sender.rtsp.packing import (
    FIRST,
    STEP,
    feed,
    flat,
    jpegs,
    muxed,
    numbered,
    packet,
    same_pixels,
    time_of,
    units_of,
)

SIZE = (320, 240)


def segments(picture: bytes) -> Iterator[tuple[int, bytes]]:
    """Return a JPEG's segments, and as the last one its entropy-coded data."""
    at = 2
    while True:
        marker, length = struct.unpack_from(">xBH", picture, at)
        if marker == 0xDA:
            yield marker, picture[at + 2 + length : -2]
            return
        yield marker, picture[at + 4 : at + 2 + length]
        at += 2 + length


def tables_of(picture: bytes) -> bytes:
    return b"".join(content[1:] for marker, content in segments(picture) if marker == 0xDB)


def scan_of(picture: bytes) -> bytes:
    return next(content for marker, content in segments(picture) if marker == 0xDA)


def header(
    offset: int = 0,
    *,
    kind: int = 1,
    quality: int = 255,
    size: tuple[int, int] = SIZE,
    restart: int | None = None,
    tables: bytes | None = None,
    precision: int = 0,
) -> bytes:
    """Return the headers of a fragment: RFC 2435, 3.1, 3.1.7 and 3.1.8."""
    head = struct.pack(">IBBBB", offset, kind, quality, size[0] // 8, size[1] // 8)
    if restart is not None:
        head += struct.pack(">HH", restart, 0xFFFF)
    if tables is not None:
        head += struct.pack(">BBH", 0, precision, len(tables)) + tables
    return head


def fragments(scan: bytes, step: int, **fields: object) -> list[bytes]:
    """Return the payloads of a scan; tables go with the first."""
    tables = fields.pop("tables", None)
    return [
        header(at, tables=None if at else tables, **fields) + scan[at : at + step]  # type: ignore[arg-type]
        for at in range(0, len(scan), step)
    ]


def image(size: tuple[int, int] = SIZE, number: int = 3) -> codec.Image:
    return pattern.draw(number, *size, 0.0)


def only(units: list[AccessUnit]) -> bytes:
    """Return the bytes of the one unit, which must be sound."""
    (unit,) = units
    assert unit.is_key
    assert not unit.is_damaged
    return unit.data


@pytest.mark.parametrize("size", [(320, 240), (72, 200), (1288, 728), (2040, 1080)])
def test_what_ffmpeg_cut_gives_the_cameras_own_pixels(size: tuple[int, int]) -> None:
    pictures = jpegs(frames=2, size=size)
    units = units_of("JPEG", flat(muxed("mjpeg", pictures, size=size)))

    assert [unit.timestamp for unit in units] == [time_of(0), time_of(1)]
    for unit, one in zip(units, pictures, strict=True):
        assert same_pixels(unit.data, one.data)
        assert scan_of(unit.data) == scan_of(one.data)


def test_what_comes_out_is_a_jpeg_for_everybody() -> None:
    data = only(units_of("JPEG", muxed("mjpeg", jpegs(frames=1), size=SIZE)[0]))
    found = jpeg.read_header(data)

    assert (found.width, found.height, found.components, found.scans) == (320, 240, 3, 1)
    assert found.end == len(data)
    assert JpegPicture.read(data).to_jpeg(80) == data
    assert data[6:11] == b"JFIF\0"


@pytest.mark.parametrize("quality", [1, 10, 37, 49, 50, 51, 75, 90, 99])
def test_tables_are_computed_from_q(quality: int) -> None:
    original = codec.encode(image(), quality)
    payloads = fragments(scan_of(original), 500, quality=quality)
    data = only(units_of("JPEG", numbered(payloads)))

    assert tables_of(data) == tables_of(original)
    assert same_pixels(data, original)


@pytest.mark.parametrize(("subsampling", "kind"), [("422", 0), ("420", 1)])
def test_both_subsamplings_are_read(subsampling: str, kind: int) -> None:
    original = bytes(
        simplejpeg.encode_jpeg(image(), 80, colorspace="BGR", colorsubsampling=subsampling)
    )
    payloads = fragments(scan_of(original), 700, kind=kind, tables=tables_of(original))

    assert same_pixels(only(units_of("JPEG", numbered(payloads))), original)


def test_restart_markers_are_read() -> None:
    # Without pixels every block is the same; so the data between restart markers is too.
    grey = np.full((32, 32, 3), 90, np.uint8)
    whole = codec.encode(grey, 80)
    block = scan_of(codec.encode(grey[:16, :16], 80))
    scan = b"".join(block + bytes([0xFF, 0xD0 + row % 8]) for row in range(3)) + block
    payloads = fragments(scan, 7, kind=65, restart=1, size=(32, 32), tables=tables_of(whole))
    data = only(units_of("JPEG", numbered(payloads)))

    assert same_pixels(data, whole)
    assert (0xDD, b"\0\1") in segments(data)


@pytest.mark.parametrize("tables", ["one", "two", "three"])
def test_luma_and_chroma_may_share_a_table_and_others_are_left_out(tables: str) -> None:
    table = tables_of(codec.encode(image(), 80))[:64]
    sent = {"one": table, "two": table * 2, "three": table * 3}[tables]
    scan = scan_of(codec.encode(image(), 80))
    data = only(units_of("JPEG", numbered(fragments(scan, 2000, tables=sent))))
    same = only(units_of("JPEG", numbered(fragments(scan, 2000, tables=table * 2))))

    assert same_pixels(data, same)
    assert len(tables_of(data)) == (64 if tables == "one" else 128)


def test_tables_of_16_bits_are_kept() -> None:
    original = codec.encode(image(), 80)
    luma, chroma = tables_of(original)[:64], tables_of(original)[64:]
    deep = b"".join(bytes([0, value]) for value in chroma)
    payloads = fragments(scan_of(original), 1000, tables=luma + deep, precision=0b10)
    data = only(units_of("JPEG", numbered(payloads)))

    assert tables_of(data) == luma + deep
    # Extended sequential: baseline pictures have tables of 8 bits.
    assert 0xC1 in dict(segments(data))
    assert same_pixels(data, original)


def test_tables_are_remembered_for_a_q_that_stands_for_them() -> None:
    depacketiser = make_depacketiser("JPEG", {})
    coarse, fine = codec.encode(image(), 30), codec.encode(image(), 90)
    for quality, original in ((128, coarse), (254, fine)):
        first = fragments(scan_of(original), 900, quality=quality, tables=tables_of(original))
        only(feed(depacketiser, numbered(first)))

    for quality, original in ((128, coarse), (254, fine)):
        later = fragments(scan_of(original), 900, quality=quality, tables=b"")
        assert same_pixels(only(feed(depacketiser, numbered(later))), original)


@pytest.mark.parametrize("quality", [200, 255])
def test_without_tables_a_picture_is_lost(quality: int) -> None:
    depacketiser = make_depacketiser("JPEG", {})
    original = codec.encode(image(), 80)
    if quality == 255:  # these are good for one picture alone
        sent = fragments(scan_of(original), 900, quality=quality, tables=tables_of(original))
        only(feed(depacketiser, numbered(sent)))
    payloads = fragments(scan_of(original), 900, quality=quality, tables=b"")
    (unit,) = feed(depacketiser, numbered(payloads))

    assert unit.data == b""
    assert unit.is_damaged


def picture(at: int, seq: int, *, size: tuple[int, int] = SIZE) -> list[RtpPacket]:
    """Return a picture of five packets."""
    original = codec.encode(image(size, at), 80)
    scan = scan_of(original)
    payloads = fragments(scan, len(scan) // 5 + 1, tables=tables_of(original), size=size)
    assert len(payloads) == 5
    return numbered(payloads, timestamp=(FIRST + at * STEP) % 2**32, seq=seq)


@pytest.mark.parametrize(
    ("missing", "lost"),
    [
        pytest.param(set(), [], id="none"),
        pytest.param({5}, [1], id="first"),
        pytest.param({7}, [1], id="middle"),
        pytest.param({9}, [1], id="last, with the marker"),
        pytest.param({9, 10}, [1, 2], id="marker, and the next one's first"),
        pytest.param({5, 6, 7, 8}, [1], id="all but the marker"),
    ],
)
def test_a_picture_with_missing_packets_is_lost_and_no_other(
    missing: set[int], lost: list[int]
) -> None:
    packets = flat(picture(place, 5 * place) for place in range(4))
    units = units_of("JPEG", [one for one in packets if one.seq not in missing])

    assert [unit.timestamp for unit in units] == [time_of(place) for place in range(4)]
    assert [place for place, unit in enumerate(units) if unit.is_damaged] == lost
    assert [place for place, unit in enumerate(units) if not unit.data] == lost


def test_a_picture_that_is_missing_as_a_whole_damages_no_other() -> None:
    units = units_of("JPEG", [*picture(0, 0), *picture(2, 10)])

    assert [unit.is_damaged for unit in units] == [False, False]


def test_without_markers_a_picture_ends_when_the_next_begins() -> None:
    packets = [
        replace(one, marker=False) for place in range(3) for one in picture(place, 5 * place)
    ]
    units = units_of("JPEG", packets)

    assert [unit.timestamp for unit in units] == [time_of(0), time_of(1)]
    assert not any(unit.is_damaged for unit in units)


def test_a_missing_packet_without_payload_is_no_loss() -> None:
    first, *others = picture(0, 0)
    depacketiser = make_depacketiser("JPEG", {})
    depacketiser.put(first, gap=False)
    depacketiser.put(packet(b""), gap=False)

    only([unit for one in others for unit in depacketiser.put(one, gap=one is others[0])])


def test_a_last_packet_that_is_malformed_costs_the_picture() -> None:
    packets = picture(0, 0)
    packets[-1] = replace(packets[-1], payload=b"junk")
    (unit,) = units_of("JPEG", packets)

    assert unit.data == b""


def test_what_is_said_of_interlaced_fields_is_passed_over() -> None:
    packets = [replace(one, payload=b"\x01" + one.payload[1:]) for one in picture(0, 0)]

    assert only(units_of("JPEG", packets)) == only(units_of("JPEG", picture(0, 0)))


def test_the_size_may_change_between_pictures() -> None:
    units = units_of("JPEG", [*picture(0, 0), *picture(1, 5, size=(640, 480))])

    assert [jpeg.read_header(unit.data).width for unit in units] == [320, 640]


@pytest.mark.parametrize("ending", [b"\xff\xd9", b"\xff\xd9\0\0"])
def test_an_end_marker_that_was_sent_is_no_trouble(ending: bytes) -> None:
    original = codec.encode(image(), 80)
    payloads = fragments(scan_of(original) + ending, 1000, tables=tables_of(original))
    data = only(units_of("JPEG", numbered(payloads)))

    assert data.count(b"\xff\xd9") == 1 + len(ending) // 4
    assert same_pixels(JpegPicture.read(data).to_jpeg(80), original)


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(header()[:7], id="half a header"),
        pytest.param(header(kind=65) + b"\0\0", id="half a restart header"),
        pytest.param(header() + b"\0\0", id="half a table header"),
        pytest.param(header(tables=b"t" * 63) + bytes(200), id="half a table"),
        pytest.param(header() + struct.pack(">BBH", 0, 0, 64) + b"t" * 63, id="table cut off"),
        pytest.param(header(tables=b"t" * 64, precision=1) + bytes(200), id="half a deep table"),
        pytest.param(header(tables=b"t" * 128), id="no data"),
        pytest.param(header(8) + b"data", id="no beginning"),
    ],
)
def test_a_malformed_payload_is_a_lost_picture(payload: bytes) -> None:
    (unit,) = units_of("JPEG", numbered([payload]))

    assert unit == AccessUnit(b"", FIRST, is_key=True, is_damaged=True, arrived=0.0)


def test_one_picture_of_another_form_is_a_lost_one() -> None:
    good = header(quality=80) + b"data"
    payloads = [good, header(kind=2, quality=80) + b"data", good]
    packets = [
        replace(one, timestamp=time_of(place), marker=True)
        for place, one in enumerate(numbered(payloads))
    ]

    assert [unit.is_damaged for unit in units_of("JPEG", packets)] == [False, True, False]


@pytest.mark.parametrize(
    ("payload", "got"),
    [
        pytest.param(header(kind=2, quality=80), "type 0, 1, 64 or 65, got 2", id="type"),
        pytest.param(header(kind=128, quality=80, restart=0), "got 128", id="dynamic type"),
        pytest.param(header(quality=0), "Q from 1 to 99 or from 128 to 255, got 0", id="Q 0"),
        pytest.param(header(quality=100), "got 100", id="Q 100"),
        pytest.param(header(quality=80, size=(0, 240)), "at most 2040 pixels", id="width"),
        pytest.param(header(quality=80, size=(320, 0)), "at most 2040 pixels", id="height"),
    ],
)
def test_other_forms_are_left_to_others(payload: bytes, got: str) -> None:
    with pytest.raises(Unreadable, match=got):
        units_of("JPEG", numbered([payload + b"data"]))


@given(
    st.lists(
        st.tuples(
            st.one_of(
                st.binary(max_size=16),
                st.builds(
                    lambda head, rest: head + rest,
                    st.sampled_from(
                        [header(tables=b"t" * 128), header(quality=80), header(3), header(8)]
                    ),
                    st.binary(max_size=8),
                ),
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
    depacketiser = make_depacketiser("JPEG", {})
    came = left = 0
    try:
        for payload, timestamp, marker, gap in packets:
            came += len(payload) + 1024  # what a header may take
            one = packet(payload, timestamp=timestamp, marker=marker)
            for unit in depacketiser.put(one, gap=gap):
                assert unit.is_damaged == (not unit.data)
                left += len(unit.data)
    except Unreadable:
        pass
    assert left <= came
