from __future__ import annotations

import struct
import time

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.formats import inspect, is_picture
from shared import codec, pattern
from shared.errors import FrameError

IMAGE = pattern.draw(1, 160, 120)


def encoded(extension: str, *options: int) -> bytes:
    ok, data = cv2.imencode(extension, IMAGE, list(options))
    assert ok
    return data.tobytes()


PICTURES = {
    "jpeg": codec.encode(IMAGE, 80),
    "png": encoded(".png"),
    "webp": encoded(".webp", cv2.IMWRITE_WEBP_QUALITY, 80),
    "webp lossless": encoded(".webp", cv2.IMWRITE_WEBP_QUALITY, 101),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_known_by_its_bytes(name: str) -> None:
    data = PICTURES[name]
    picture = inspect(data)

    assert is_picture(data)
    assert (picture.width, picture.height) == (160, 120)
    assert picture.media_type == f"image/{name.split()[0]}"
    assert picture.data == data


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_cut_anywhere_is_refused(name: str) -> None:
    data = PICTURES[name]
    for length in {0, 1, 4, 12, 20, 29, 30, 44, len(data) // 2, len(data) - 1}:
        with pytest.raises(FrameError):
            inspect(data[:length])


def webp(kind: bytes, content: bytes) -> bytes:
    """Return a WebP of the least length; its first chunk begins with `content`."""
    chunk = kind + struct.pack("<I", 10) + content.ljust(10, b"\x00")
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


def png(width: int, height: int) -> bytes:
    header = b"\x00\x00\x00\rIHDR" + struct.pack(">II", width, height) + bytes(9)
    return b"\x89PNG\r\n\x1a\n" + header + b"\x00\x00\x00\x00IEND\xaeB`\x82"


@pytest.mark.parametrize(
    ("data", "size"),
    [
        pytest.param(png(0x123, 0x1456), (0x123, 0x1456), id="png"),
        # The two upper bits are a scale that nobody applies.
        pytest.param(
            webp(b"VP8 ", b"\0\0\0\x9d\1\x2a\x23\x41\x56\xd4"), (0x123, 0x1456), id="VP8"
        ),
        pytest.param(webp(b"VP8L", b"\x2f\x22\x41\x15\x15"), (0x123, 0x1456), id="VP8L"),
        # A reserved flag is set, and what follows the height is none of it.
        pytest.param(
            webp(b"VP8X", b"\x11\0\0\0\x22\1\0\x55\x14\0\1"), (0x123, 0x1456), id="VP8X"
        ),
    ],
)  # fmt: skip
def test_the_size_is_read_from_where_the_format_has_it(data: bytes, size: tuple[int, int]) -> None:
    picture = inspect(data)

    assert (picture.width, picture.height) == size
    assert picture.media_type == ("image/png" if data[1:4] == b"PNG" else "image/webp")


@pytest.mark.parametrize(
    ("data", "status", "reason", "sentence"),
    [
        (b"", 422, "empty", "the body is empty"),
        (b"GIF89a\x01\x02\x03", 415, "format",
         "expected a JPEG, PNG or WebP, got bytes that begin 47 49 46 38 39 61 01 02"),
        (PICTURES["jpeg"] + b"\x00x", 422, "corrupt", "2 bytes follow the JPEG's end marker"),
        (png(9, 9) + b"\x00x", 422, "corrupt", "2 bytes follow the PNG's end"),
        (png(9, 9)[:44], 422, "corrupt", "a PNG without a header"),
        (png(9, 9).replace(b"IHDR", b"IDAT"), 422, "corrupt", "a PNG without a header"),
        (png(9, 9).replace(b"IEND", b"IDAT"), 422, "truncated", "the PNG is cut off"),
        (webp(b"VP8L", b"\x2f")[:29], 415, "format", "a RIFF file that is no WebP"),
        (webp(b"VP8L", b"\x2f").replace(b"WEBP", b"WAVE"), 415, "format",
         "a RIFF file that is no WebP"),
        (b"RIFF\x17" + webp(b"VP8L", b"\x2f")[5:], 422, "truncated", "the WebP is cut off"),
        (b"RIFF\x17\0\0\xff" + webp(b"VP8L", b"\x2f")[8:], 422, "truncated", "the WebP is cut off"),
        (webp(b"VP8X", b"\x02"), 415, "format",
         "this kind of WebP (animated, or damaged) is not taken"),
        (webp(b"VP8 ", b"\0\0\0\x9d\x01\x2b"), 415, "format",
         "this kind of WebP (animated, or damaged) is not taken"),
        (webp(b"VP8L", b"\x2e"), 415, "format",
         "this kind of WebP (animated, or damaged) is not taken"),
        (webp(b"ALPH", b""), 415, "format",
         "this kind of WebP (animated, or damaged) is not taken"),
        (png(0, 9), 422, "pixels", "expected sides from 1 to 16384 pixels, got 0x9"),
        (png(2**31, 9), 422, "pixels", "expected sides from 1 to 16384 pixels, got 2147483648x9"),
        (png(9, 16385), 422, "pixels", "expected sides from 1 to 16384 pixels, got 9x16385"),
    ],
)  # fmt: skip
def test_a_refusal_says_what_was_expected_and_is_counted_under_its_reason(
    data: bytes, status: int, reason: str, sentence: str
) -> None:
    with pytest.raises(FrameError) as refused:
        inspect(data)

    assert str(refused.value) == f"image: {sentence}"
    assert (refused.value.status, refused.value.reason) == (status, reason)


@pytest.mark.parametrize("data", [b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF", PICTURES["jpeg"]])
def test_the_first_bytes_claim_a_format(data: bytes) -> None:
    assert is_picture(data)
    assert not is_picture(data[: 2 if data[0] == 0xFF else 3])
    assert not is_picture(b"\x00" + data)


def test_raw_pixels_are_what_the_media_type_says() -> None:
    media_type = "application/x-raw-bgr; width=4; height=3"

    picture = inspect(bytes(36), media_type=media_type)

    assert (picture.width, picture.height, len(picture.data)) == (4, 3, 36)
    assert picture.media_type == "application/x-raw-bgr"
    for size in (35, 37, 0):
        with pytest.raises(FrameError, match=f"36 bytes of 4x3 bgr, got {size}$") as refused:
            inspect(bytes(size), media_type=media_type)
        assert refused.value.status == 422
    with pytest.raises(FrameError, match="at most 11 pixels, got 4x3"):
        inspect(bytes(36), media_type=media_type, max_pixels=11)


def test_a_limit_of_pixels_that_is_just_kept_holds_nothing_back() -> None:
    assert inspect(PICTURES["jpeg"], max_pixels=160 * 120).width == 160


def test_a_cameras_padding_is_taken_off() -> None:
    assert inspect(PICTURES["jpeg"] + b"\x00" * 100 + b"\r\n").data == PICTURES["jpeg"]


def test_anything_else_behind_a_jpeg_is_refused() -> None:
    with pytest.raises(FrameError, match="8 bytes follow"):
        inspect(PICTURES["jpeg"] + b"<script>")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"GIF89a" + b"\x00" * 40, id="GIF"),
        pytest.param(b"BM" + b"\x00" * 60, id="BMP"),
        pytest.param(b"II*\x00" + b"\x00" * 60, id="TIFF"),
        pytest.param(b"\x00\x00\x00\x0cjP  \r\n\x87\n" + b"\x00" * 40, id="JPEG 2000"),
        pytest.param(b"v/1\x01" + b"\x00" * 60, id="OpenEXR"),
        pytest.param(b"<html>" + b" " * 60, id="HTML"),
        pytest.param(b"RIFF\x20\x00\x00\x00WAVEfmt " + b"\x00" * 40, id="WAV"),
    ],
)
def test_other_formats_are_not_taken(data: bytes) -> None:
    with pytest.raises(FrameError) as refused:
        inspect(data)
    assert refused.value.status == 415


def test_a_png_that_claims_a_huge_picture_is_refused() -> None:
    data = PICTURES["png"]
    bomb = data[:16] + struct.pack(">II", 2**31 - 1, 2**31 - 1) + data[24:]

    with pytest.raises(FrameError) as refused:
        inspect(bomb)
    assert refused.value.reason == "pixels"


def test_a_limit_of_pixels_holds() -> None:
    with pytest.raises(FrameError, match="at most 19199 pixels, got 160x120"):
        inspect(PICTURES["jpeg"], max_pixels=160 * 120 - 1)


def test_an_animated_webp_is_not_taken() -> None:
    header = b"RIFF" + struct.pack("<I", 40) + b"WEBPVP8X" + struct.pack("<IB", 10, 0x02)

    with pytest.raises(FrameError) as refused:
        inspect(header + b"\x00" * 27)
    assert refused.value.status == 415


@settings(max_examples=300)
@given(
    start=st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF", b""]), tail=st.binary()
)
def test_garbage_is_refused_and_nothing_else_happens(start: bytes, tail: bytes) -> None:
    with pytest.raises(FrameError):
        inspect(start + tail)


def test_what_passes_decodes() -> None:
    assert np.array_equal(codec.decode(inspect(PICTURES["jpeg"]).data).shape, IMAGE.shape)


def test_a_body_of_fill_bytes_costs_no_time() -> None:
    jpeg = encoded(".jpg")
    start = jpeg.index(b"\xff\xda") + 20
    started = time.process_time()

    with pytest.raises(FrameError):
        inspect(jpeg[:start] + b"\xff" * 200_000 + b"\x00")

    # Milliseconds when each byte is looked at once; it was looked at once for each byte before it.
    assert time.process_time() - started < 2
