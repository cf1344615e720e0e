from __future__ import annotations

import io
import struct

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


@settings(max_examples=300)
@given(st.binary(max_size=200).map(lambda tail: b"\xff\xd8" + tail))
def test_garbage_is_refused_and_nothing_else_happens(data: bytes) -> None:
    with pytest.raises(FrameError):
        jpeg.read_header(data)
