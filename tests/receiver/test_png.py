from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
import pytest

from receiver import png
from receiver.formats import inspect
from receiver.frame import Frame
from shared import pattern
from shared.errors import FrameError
from shared.frame import EncodedFrame

IMAGE = pattern.draw(1, 160, 120)
PNG = cv2.imencode(".png", IMAGE)[1].tobytes()
#: Behind the signature and IHDR, and behind the pixels.
BEGIN, END = 33, len(PNG) - 12


def chunk(kind: bytes, data: bytes = b"") -> bytes:
    check = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)


def framed(data: bytes) -> Frame:
    encoded = EncodedFrame(
        camera="door",
        epoch="e",
        seq=1,
        captured_at=0.0,
        data=data,
        width=160,
        height=120,
        media_type="image/png",
    )
    return Frame(encoded)


def zeros(megabytes: int) -> bytes:
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(bytes(1 << 20)) for _ in range(megabytes)) + packer.flush()


def test_the_header_of_a_png_is_read_and_padding_taken_off() -> None:
    assert png.read_header(PNG) == png.PngHeader(160, 120, len(PNG))
    assert inspect(PNG + bytes(500)).data == PNG


def test_a_png_cut_at_any_byte_is_refused() -> None:
    for length in range(len(PNG)):
        with pytest.raises(FrameError):
            inspect(PNG[:length])


def test_anything_else_behind_a_png_is_refused() -> None:
    with pytest.raises(FrameError, match="8 bytes follow"):
        inspect(PNG + b"<script>")


@pytest.mark.parametrize(
    ("kind", "most"), [(b"zTXt", 16), (b"iTXt", 16), (b"iCCP", 16), (b"tEXt", 9_000)]
)
def test_only_so_many_chunks_are_taken(kind: bytes, most: int) -> None:
    text = chunk(kind)
    inspect(PNG[:BEGIN] + most * text + PNG[BEGIN:])

    with pytest.raises(FrameError) as refused:
        inspect(PNG[:BEGIN] + (most + 1_000) * text + PNG[BEGIN:])
    assert refused.value.reason == "segments"


def test_more_pixels_than_there_are_cost_no_more_than_those_there_are() -> None:
    bomb = PNG[:BEGIN] + chunk(b"IDAT", zeros(50)) + PNG[END:]

    with pytest.raises(FrameError, match="more is packed into the PNG than 160x120"):
        _ = framed(bomb).image


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
@pytest.mark.parametrize("samples", [1, 3, 4])
def test_pictures_of_every_kind_are_decoded(depth: type, samples: int) -> None:
    noise = np.random.default_rng(1).integers(0, np.iinfo(depth).max, (900, 700, samples), depth)
    data = cv2.imencode(".png", noise)[1].tobytes()

    assert framed(inspect(data).data).image.shape == (900, 700, 3)


def test_pixels_that_are_packed_wrongly_are_a_broken_picture() -> None:
    with pytest.raises(FrameError, match="does not decode"):
        _ = framed(PNG[:BEGIN] + chunk(b"IDAT", b"nothing") + PNG[END:]).image
