from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest

from receiver.frame import Frame
from shared import codec, pattern
from shared.errors import FrameError
from shared.frame import EncodedFrame
from tests.conftest import MakeFrame


def encoded(media_type: str, seq: int = 3) -> EncodedFrame:
    image = pattern.draw(seq, 160, 120)
    suffix = {"image/png": ".png", "image/webp": ".webp"}[media_type]
    return EncodedFrame(
        camera="cam1",
        epoch="e1",
        seq=seq,
        captured_at=time.time(),
        data=cv2.imencode(suffix, image)[1].tobytes(),
        width=160,
        height=120,
        media_type=media_type,
    )


def test_it_carries_the_facts(make_frame: MakeFrame) -> None:
    frame = Frame(make_frame(7, captured_at=time.time() - 2))

    assert (frame.camera, frame.epoch, frame.seq) == ("cam1", "e1", 7)
    assert (frame.width, frame.height) == (160, 120)
    assert 2 <= frame.age < 3
    assert repr(frame) == "<Frame cam1 e1/7 160x120>"


@pytest.mark.parametrize("ahead", [5.0, -5.0])
def test_its_age_is_right_though_the_sender_s_clock_is_wrong(
    make_frame: MakeFrame, ahead: float
) -> None:
    source = make_frame(captured_at=time.time() + ahead - 2)
    frame = Frame(EncodedFrame(**source.facts() | {"data": b"", "clock_offset": -ahead}))

    assert 2 <= frame.age < 3
    assert frame.captured_at == source.captured_at


def test_its_age_is_never_negative(make_frame: MakeFrame) -> None:
    assert Frame(make_frame(captured_at=time.time() + 5)).age == 0


def test_a_jpeg_is_decoded_once_and_only_when_looked_at(make_frame: MakeFrame) -> None:
    source = make_frame(7)
    frame = Frame(source)
    assert frame.jpeg is source.data
    assert frame.decode_seconds == 0

    image = frame.image

    assert frame.image is image
    assert image.flags.writeable
    assert frame.decode_seconds > 0
    mark = pattern.read(image)
    assert mark is not None
    assert mark.number == 7


@pytest.mark.parametrize("media_type", ["image/png", "image/webp"])
def test_other_formats_are_decoded_and_made_a_jpeg(media_type: str) -> None:
    frame = Frame(encoded(media_type))
    frame.image[:] = 0

    mark = pattern.read(codec.decode(frame.jpeg))
    assert mark is not None, "expected the picture as it came, not what the hook drew in it"
    assert mark.number == 3


@pytest.mark.parametrize("factor", [1, 2, 4, 8])
def test_a_reduced_picture_is_a_fraction(make_frame: MakeFrame, factor: int) -> None:
    for source in (make_frame(), encoded("image/png")):
        image = Frame(source).reduced(factor)

        assert image.shape == (120 // factor, 160 // factor, 3)
        assert image.dtype == np.uint8


def test_a_fraction_that_does_not_exist_is_named(make_frame: MakeFrame) -> None:
    with pytest.raises(ValueError, match="expected 1, 2, 4 or 8, got 3"):
        Frame(make_frame()).reduced(3)


@pytest.mark.parametrize("media_type", ["image/jpeg", "image/png", "image/webp"])
def test_a_broken_picture_is_a_frame_error(make_frame: MakeFrame, media_type: str) -> None:
    source = make_frame() if media_type == "image/jpeg" else encoded(media_type)
    broken = dataclasses.replace(source, data=source.data[:16] + b"\0" * 50)

    with pytest.raises(FrameError, match="does not decode"):
        Frame(broken).image.mean()


def test_a_sideways_jpeg_lies_as_it_came() -> None:
    """OpenCV turns a WebP or PNG by its EXIF tag unless told not to."""
    assert Frame(encoded("image/webp")).image.shape == (120, 160, 3)


def test_opencv_refuses_pictures_beyond_8k_in_the_receiver() -> None:
    code = (
        "import receiver, cv2, numpy, sys\n"
        "data = cv2.imencode('.png', numpy.zeros((6000, 6000), numpy.uint8))[1]\n"
        "try: cv2.imdecode(data, cv2.IMREAD_COLOR)\n"
        "except cv2.error: sys.exit(7)\n"
    )
    environment = {k: v for k, v in os.environ.items() if k != "OPENCV_IO_MAX_IMAGE_PIXELS"}

    assert subprocess.run([sys.executable, "-c", code], env=environment).returncode == 7
