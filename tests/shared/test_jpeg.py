from __future__ import annotations

import io
import itertools
import re
import struct
import time
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared import codec, jpeg, pattern
from shared.errors import FrameError

PLAIN = codec.encode(pattern.draw(1, 160, 120), 80)


def progressive() -> bytes:
    ok, data = cv2.imencode(".jpg", pattern.draw(1, 160, 120), [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])
    assert ok
    return data.tobytes()


SOF = PLAIN.index(b"\xff\xc0")


def with_frame_header(frame_header: bytes) -> bytes:
    """Return a JPEG with another content of its SOF segment, whose length is set."""
    length = struct.pack(">H", len(frame_header) + 2)
    behind = SOF + 2 + int.from_bytes(PLAIN[SOF + 2 : SOF + 4])
    return PLAIN[: SOF + 2] + length + frame_header + PLAIN[behind:]


def sof(width: int, height: int, *, precision: int = 8, components: int = 3) -> bytes:
    sides = struct.pack(">BHHB", precision, height, width, components)
    return sides + b"".join(bytes([number, 0x11, 0]) for number in range(components))


def with_scans(count: int) -> bytes:
    """Return a progressive JPEG whose last scan comes again, until there are `count`."""
    data = progressive()
    scan = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + scan * (count - data.count(b"\xff\xda")) + data[-2:]


@pytest.mark.parametrize(
    ("data", "status", "reason", "sentence"),
    [
        (b"GIF89a", 415, "format", "expected a JPEG (FF D8 ...)"),
        (PLAIN[:-1], 422, "truncated", f"the JPEG is cut off; {len(PLAIN) - 1} bytes came without "
         "an end marker"),
        (PLAIN[:30], 422, "truncated", "the JPEG is cut off; 30 bytes came without an end marker"),
        (PLAIN[:2] + PLAIN, 422, "corrupt", "a JPEG marker is out of place"),
        (b"\xff\xd8\xff\xd9", 422, "corrupt", "a JPEG without a picture in it"),
        (PLAIN.replace(b"\xff\xc0", b"\xff\xc3"), 415, "format",
         "this kind of JPEG (lossless or arithmetic) is not taken"),
        (with_frame_header(sof(160, 120, precision=12)), 415, "format",
         "expected 8 bits in 1 or 3 components, got 12 in 3"),
        (with_frame_header(sof(160, 120, components=4)), 415, "format",
         "expected 8 bits in 1 or 3 components, got 8 in 4"),
        (with_frame_header(sof(160, 120, precision=255, components=255)), 415, "format",
         "expected 8 bits in 1 or 3 components, got 255 in 255"),
        (with_frame_header(sof(65535, 65535)), 422, "pixels",
         "expected sides from 1 to 16384 pixels, got 65535x65535"),
        (with_frame_header(sof(16384, 16384)), 422, "pixels",
         "expected at most 33177600 pixels, got 16384x16384"),
        (with_scans(65), 422, "scans", "expected at most 64 scans"),
    ],
    # Not the sentences: the picture has the time in it, and so is not always of the same length.
    ids=map(str, itertools.count(1)),
)  # fmt: skip
def test_a_refusal_says_what_was_expected_and_is_counted_under_its_reason(
    data: bytes, status: int, reason: str, sentence: str
) -> None:
    with pytest.raises(FrameError) as refused:
        jpeg.read_header(data)

    assert str(refused.value) == f"image: {sentence}"
    assert (refused.value.status, refused.value.reason) == (status, reason)


def test_as_many_scans_are_taken_as_the_limit_says() -> None:
    assert jpeg.read_header(with_scans(64)).scans == 64


@pytest.mark.parametrize(
    "frame_header",
    [
        pytest.param(sof(160, 120)[:5], id="cut before the components"),
        pytest.param(sof(160, 120)[:6], id="no component in it"),
        pytest.param(sof(160, 120)[:-1], id="cut in a component"),
        pytest.param(sof(160, 120) + b"\x00", id="a byte more"),
    ],
)
def test_a_frame_header_of_another_length_than_its_components_need_is_refused(
    frame_header: bytes,
) -> None:
    for data in (with_frame_header(frame_header), with_frame_header(frame_header)[: SOF + 9]):
        with pytest.raises(FrameError) as refused:
            jpeg.read_header(data)
        assert refused.value.reason in ("corrupt", "truncated")
    with pytest.raises(FrameError, match=r"^image: bad JPEG frame header$") as refused:
        jpeg.read_header(with_frame_header(frame_header))
    assert (refused.value.status, refused.value.reason) == (422, "corrupt")


@pytest.mark.parametrize(
    ("width", "height"), [(1, 1), (16384, 1), (1, 16384), (7680, 4320), (16384, 2025)]
)
def test_every_size_up_to_the_limits_is_decoded(width: int, height: int) -> None:
    jpeg.check_size(width, height)


@pytest.mark.parametrize(
    ("width", "height", "limit"),
    [
        *((0, 1, "sides from 1 to 16384"), (1, 0, "sides from 1 to 16384")),
        *((16385, 1, "sides from 1 to 16384"), (1, 16385, "sides from 1 to 16384")),
        *((0, 0, "sides from 1 to 16384"), (16385, 16385, "sides from 1 to 16384")),
        (7681, 4320, "at most 33177600"),
    ],
)
def test_a_size_beyond_a_limit_is_refused(width: int, height: int, limit: str) -> None:
    with pytest.raises(FrameError) as refused:
        jpeg.check_size(width, height)

    assert str(refused.value).startswith(f"image: expected {limit}")
    assert str(refused.value).endswith(f" pixels, got {width}x{height}")
    assert (refused.value.status, refused.value.reason) == (422, "pixels")


@pytest.mark.parametrize("code", range(0xC0, 0xFF))
def test_each_marker_before_the_picture_is_what_the_standard_says(code: int) -> None:
    """ITU-T T.81, table B.1: all but some have a segment behind them, and a few begin a picture."""
    data = PLAIN[:2] + bytes([0xFF, code, 0, 4, 0, 0]) + PLAIN[2:]
    refused = None
    try:
        header = jpeg.read_header(data)
    except FrameError as exc:
        refused = (exc.status, exc.reason)
    else:
        assert (header.width, header.end) == (160, len(data))

    if code in (0xC0, 0xC1, 0xC2):
        assert refused == (422, "corrupt")  # too short for one
    elif code in (0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF):
        assert refused == (415, "format")
    elif 0xD0 <= code <= 0xDA:
        assert refused is not None
        assert refused[0] == 422
    else:
        assert refused is None


def test_an_extended_sequential_jpeg_is_taken() -> None:
    assert jpeg.read_header(PLAIN.replace(b"\xff\xc0", b"\xff\xc1")).width == 160


def test_before_a_marker_stand_fill_bytes_and_nothing_else() -> None:
    assert jpeg.read_header(PLAIN[:2] + b"\xff\xff\xff" + PLAIN[2:]).width == 160
    for between in (b"\xe0\x00\x02", b"\x00", b"\xff\x00\x00\x02", b"\xff\xd3\x00\x02"):
        with pytest.raises(FrameError, match="cut off"):
            jpeg.read_header(PLAIN[:2] + between + PLAIN[2:])


def test_too_many_segments_are_refused() -> None:
    segment = b"\xff\xfe\x00\x02"

    with pytest.raises(FrameError, match=f"at most {jpeg.MAX_SEGMENTS} segments") as refused:
        jpeg.read_header(PLAIN[:2] + segment * (jpeg.MAX_SEGMENTS + 1) + PLAIN[2:])
    assert (refused.value.status, refused.value.reason) == (422, "segments")


def test_the_header_of_a_plain_jpeg_is_read() -> None:
    header = jpeg.read_header(PLAIN)

    assert (header.width, header.height, header.components, header.scans) == (160, 120, 3, 1)
    assert header.end == len(PLAIN)


def test_a_progressive_jpeg_has_several_scans() -> None:
    assert 2 < jpeg.read_header(progressive()).scans <= jpeg.MAX_SCANS


def test_a_grey_jpeg_has_one_component() -> None:
    grey = codec.encode(np.zeros((50, 60), np.uint8), 80)

    assert jpeg.read_header(grey).components == 1


def test_a_jpeg_cut_at_any_byte_is_refused() -> None:
    for length in range(len(PLAIN)):
        with pytest.raises(FrameError) as refused:
            jpeg.read_header(PLAIN[:length])
        assert refused.value.status in (415, 422)


def test_an_end_marker_inside_a_thumbnail_does_not_hide_a_cut() -> None:
    thumbnail = codec.encode(np.zeros((16, 16, 3), np.uint8), 50)
    segment = b"\xff\xe1" + struct.pack(">H", len(thumbnail) + 2) + thumbnail
    with_thumbnail = PLAIN[:2] + segment + PLAIN[2:]
    assert jpeg.read_header(with_thumbnail).scans == 1

    with pytest.raises(FrameError, match="cut off"):
        jpeg.read_header(with_thumbnail[:-2])


def test_a_few_bytes_that_claim_a_huge_picture_are_refused() -> None:
    at = PLAIN.index(b"\xff\xc0")
    bomb = PLAIN[: at + 5] + struct.pack(">HH", 16000, 16000) + PLAIN[at + 9 :]

    with pytest.raises(FrameError, match="16000x16000") as refused:
        jpeg.read_header(bomb)
    assert refused.value.reason == "pixels"


def test_hundreds_of_scans_are_refused() -> None:
    data = progressive()
    scan = data[data.rindex(b"\xff\xda") : -2]
    bomb = io.BytesIO()
    bomb.write(data[:-2])
    for _ in range(400):
        bomb.write(scan)
    bomb.write(b"\xff\xd9")

    with pytest.raises(FrameError) as refused:
        jpeg.read_header(bomb.getvalue())
    assert refused.value.reason == "scans"


@pytest.mark.parametrize(
    ("marker", "status"),
    [pytest.param(0xC3, 415, id="lossless"), pytest.param(0xC9, 415, id="arithmetic")],
)
def test_kinds_that_no_browser_shows_are_refused(marker: int, status: int) -> None:
    at = PLAIN.index(b"\xff\xc0")
    changed = PLAIN[: at + 1] + bytes([marker]) + PLAIN[at + 2 :]

    with pytest.raises(FrameError) as refused:
        jpeg.read_header(changed)
    assert refused.value.status == status


def test_what_is_the_same_in_a_cameras_pictures_is_walked_once() -> None:
    pictures = [codec.encode(pattern.draw(number, 192, 144), 71) for number in range(5)]
    other = codec.encode(pattern.draw(1, 144, 192), 71)
    before = jpeg._walk_known.cache_info()

    headers = [jpeg.read_header(picture) for picture in pictures]

    after = jpeg._walk_known.cache_info()
    assert (after.hits - before.hits, after.misses - before.misses) == (4, 1)
    assert {(header.width, header.height) for header in headers} == {(192, 144)}
    assert [header.end for header in headers] == [len(picture) for picture in pictures]
    assert (jpeg.read_header(other).width, jpeg.read_header(other).height) == (144, 192)


def test_of_pictures_with_several_scans_only_what_stands_before_the_first_is_remembered() -> None:
    pictures = []
    for brightness in (0, 255):
        grey = codec.encode(np.full((24, 40), brightness, np.uint8), 70)
        scan = grey[grey.index(b"\xff\xda") : -2]
        pictures.append(grey[:-2] + scan + grey[-2:])
    before = jpeg._walk_known.cache_info()

    assert [jpeg.read_header(picture).scans for picture in pictures] == [2, 2]

    after = jpeg._walk_known.cache_info()
    assert (after.hits - before.hits, after.misses - before.misses) == (1, 1)


def test_only_a_bounded_beginning_of_a_picture_is_remembered() -> None:
    comment = b"\xff\xfe" + struct.pack(">H", 5002) + bytes(5000)
    before = jpeg._walk_known.cache_info().misses

    assert jpeg.read_header(PLAIN[:2] + comment + PLAIN[2:]).width == 160

    assert jpeg._walk_known.cache_info().misses == before


@pytest.mark.parametrize("wrong", [b"\xff\xda\x00\x02", b"\xff\xd9"])
def test_a_scan_without_a_picture_before_it_is_refused(wrong: bytes) -> None:
    with pytest.raises(FrameError, match="without a picture in it"):
        jpeg.read_header(b"\xff\xd8" + wrong + PLAIN[2:])


@pytest.mark.parametrize("find", [bytes.index, bytes.rindex])
def test_a_second_frame_header_is_refused_before_a_scan_and_between_scans(
    find: Callable[[bytes, bytes], int],
) -> None:
    data = progressive()
    at = data.index(b"\xff\xc2")
    header = data[at : at + 2 + int.from_bytes(data[at + 2 : at + 4])]
    where = find(data, b"\xff\xda")

    with pytest.raises(FrameError, match="bad JPEG frame header"):
        jpeg.read_header(data[:where] + header + data[where:])


@pytest.mark.parametrize("block", [1, 2, 3, 7, 1 << 17])
def test_a_marker_is_seen_wherever_a_block_begins(
    block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.jpeg._BLOCK", block)
    data = progressive()

    header = jpeg.read_header(data)

    assert header.end == len(data)
    assert header.scans == data.count(b"\xff\xda")
    with pytest.raises(FrameError, match="cut off"):
        jpeg.read_header(data[:-1])


def test_restart_markers_and_fill_bytes_are_part_of_a_scan() -> None:
    restarts = b"".join(b"\xff" + bytes([code]) for code in range(0xD0, 0xD8))
    data = PLAIN[:-2] + restarts + b"\xff\x00\xff\xff" + PLAIN[-2:]

    header = jpeg.read_header(data)

    assert (header.scans, header.end) == (1, len(data))


@pytest.mark.parametrize("code", [0x01, 0xD8])
def test_a_marker_that_no_scan_has_is_seen_in_the_middle_of_one(code: int) -> None:
    middle = len(PLAIN) - 100
    data = PLAIN[:middle] + b"\x12\xff" + bytes([code]) + PLAIN[middle:]

    with pytest.raises(FrameError, match="out of place"):
        jpeg.read_header(data)


def test_what_a_segment_between_scans_holds_is_no_marker() -> None:
    data = progressive()
    at = data.rindex(b"\xff\xda")
    comment = b"\xff\xd9\xff\xd8\xff\x01"
    segment = b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment
    header = jpeg.read_header(data[:at] + segment + data[at:])

    assert header.scans == jpeg.read_header(data).scans
    assert header.end == len(data) + len(segment)


@settings(max_examples=300)
@given(st.lists(st.sampled_from([0xFF, 0x00, 0xD0, 0xD7, 0xD8, 0xCF, 0x41])), st.integers(1, 9))
def test_markers_are_found_as_if_byte_by_byte(codes: list[int], block: int) -> None:
    data = bytes(codes)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shared.jpeg._BLOCK", block)
        found, at = [], 0
        while (end := jpeg._find_marker(data, at, 1)) is not None:
            found.append(end)
            at = end

    one_by_one = re.finditer(rb"\xff[^\x00\xd0-\xd7\xff]", data)
    assert found == [match.end() for match in one_by_one]


@settings(max_examples=300)
@given(st.binary(max_size=200).map(lambda tail: b"\xff\xd8" + tail))
def test_garbage_is_refused_and_nothing_else_happens(data: bytes) -> None:
    with pytest.raises(FrameError):
        jpeg.read_header(data)


@pytest.mark.parametrize("kind", [b"\xff\xe1", b"\xff\xc4", b"\xff\xfe"])
@pytest.mark.parametrize("where", ["before the scan", "behind it"])
def test_only_so_many_segments_are_walked(kind: bytes, where: str) -> None:
    at = 2 if where == "before the scan" else len(PLAIN) - 2
    empty = kind + b"\x00\x02"
    jpeg.read_header(PLAIN[:at] + 400 * empty + PLAIN[at:])

    with pytest.raises(FrameError, match="at most 500 segments") as refused:
        jpeg.read_header(PLAIN[:at] + 501 * empty + PLAIN[at:])
    assert refused.value.reason == "segments"


def test_what_a_segment_holds_is_not_looked_at() -> None:
    segment = b"\xff\xe1\xff\xff" + b"\xff\xd9" * 32_766 + b"\x00"
    data = PLAIN[:-2] + 120 * segment + PLAIN[-2:]

    started = time.thread_time()
    assert jpeg.read_header(data).end == len(data)
    # A millisecond; a third of a second when each of its markers was.
    assert time.thread_time() - started < 0.1
