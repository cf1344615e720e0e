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
