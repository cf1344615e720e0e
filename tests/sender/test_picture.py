"""Pictures: right colours, right sizes, and nothing done that need not be."""

from __future__ import annotations

import threading
from fractions import Fraction
from typing import Any

import av
import cv2
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace

from receiver import formats
from receiver.raw import read_layout, to_bgr
from sender.picture import Form, ImagePicture, JpegPicture, Picture, VideoPicture, encode
from sender.planes import to_planes
from shared import codec, pattern
from shared.codec import Image
from shared.errors import FrameError

#: BGR, from every corner of the cube.
PATCHES = [
    (0, 0, 0), (255, 255, 255), (128, 128, 128), (30, 30, 220), (30, 220, 30), (220, 30, 30),
    (30, 220, 220), (220, 220, 30), (220, 30, 220), (90, 140, 200), (200, 140, 90), (16, 16, 16),
]  # fmt: skip
SIDE = 64
LIMITED, FULL = ColorRange.MPEG, ColorRange.JPEG


def patches() -> Image:
    """Return the patches as a 4 × 3 board."""
    board = np.array(PATCHES, np.uint8).reshape(3, 4, 3)
    return np.repeat(np.repeat(board, SIDE, axis=0), SIDE, axis=1)


def colours(image: Image, width: int = 4 * SIDE, height: int = 3 * SIDE) -> Image:
    """Return the colour in the middle of each patch."""
    xs = ((np.arange(4) + 0.5) * width / 4).astype(int)
    ys = ((np.arange(3) + 0.5) * height / 3).astype(int)
    found: Image = image[np.ix_(ys, xs)].reshape(-1, 3)
    return found


def through_h264(image: Image, matrix: Colorspace, span: ColorRange) -> av.VideoFrame:
    """Return what a decoder makes of `image` in H.264 of that matrix and range."""
    frame = av.VideoFrame.from_ndarray(image, "bgr24").reformat(
        format="yuv420p", dst_colorspace=matrix, dst_color_range=span
    )
    codes = {Colorspace.ITU709: "bt709", Colorspace.ITU601: "smpte170m"}
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = frame.width, frame.height, "yuv420p"
    encoder.framerate, encoder.time_base = Fraction(25), Fraction(1, 25)
    encoder.options = {
        "qp": "4",
        "x264-params": f"colormatrix={codes[matrix]}:fullrange={'on' if span == FULL else 'off'}",
    }
    packets = [*encoder.encode(frame), *encoder.encode(None)]
    decoder = av.CodecContext.create("h264", "r")
    assert isinstance(decoder, av.VideoCodecContext)
    return next(f for p in [*packets, None] for f in decoder.decode(p))


@pytest.mark.parametrize("span", [LIMITED, FULL])
@pytest.mark.parametrize("matrix", [Colorspace.ITU601, Colorspace.ITU709])
@pytest.mark.parametrize("size", [None, (160, 120), (320, 240)])
def test_video_keeps_its_colours(
    matrix: Colorspace, span: ColorRange, size: tuple[int, int] | None
) -> None:
    frame = through_h264(patches(), matrix, span)
    width, height = size or (frame.width, frame.height)

    image = codec.decode(VideoPicture(frame).to_jpeg(95, size))

    assert image.shape == (height, width, 3)
    worst = np.abs(colours(image, width, height).astype(int) - PATCHES).max()
    assert worst <= 6


@pytest.mark.parametrize(
    "pixels",
    ["yuv420p", "yuv422p", "yuv444p", "yuvj420p", "nv12", "yuv420p10le", "yuyv422", "gray", "rgb24",
     "bgra", "gbrp"],
)  # fmt: skip
def test_every_layout_of_pixels_keeps_its_colours(pixels: str) -> None:
    board = patches()
    if pixels == "gray":
        board = np.repeat(cv2.cvtColor(board, cv2.COLOR_BGR2GRAY)[:, :, None], 3, axis=2)
    frame = av.VideoFrame.from_ndarray(board, "bgr24").reformat(
        format=pixels, dst_colorspace=Colorspace.ITU601
    )

    image = codec.decode(VideoPicture(frame).to_jpeg(95))

    assert np.abs(colours(image).astype(int) - colours(board)).max() <= 8


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv422p", "yuv444p", "nv12", "bgr24"])
@pytest.mark.parametrize("size", [(161, 121), (322, 243), (33, 17)])
def test_odd_sizes_and_padded_rows_stay_straight(pixels: str, size: tuple[int, int]) -> None:
    width, height = size
    ramp = np.linspace(0, 255, width).astype(np.uint8)
    image = np.repeat(np.repeat(ramp[None, :, None], height, axis=0), 3, axis=2)
    frame = av.VideoFrame.from_ndarray(image, "bgr24").reformat(format=pixels)

    for matrix in (Colorspace.ITU601, Colorspace.ITU709):
        frame.colorspace = matrix
        decoded = codec.decode(VideoPicture(frame).to_jpeg(95))

        assert decoded.shape == (height, width, 3)
        assert np.abs(decoded.astype(int) - image).mean() < 3


def test_rows_are_padded_in_that_test() -> None:
    frame = av.VideoFrame(161, 121, "yuv420p")

    assert frame.planes[0].line_size > 161


def test_a_decoded_frame_is_not_changed_by_the_look_at_it() -> None:
    frame = through_h264(patches(), Colorspace.ITU709, LIMITED)
    picture = VideoPicture(frame)

    first = picture.to_jpeg(80)
    picture.to_jpeg(80, (100, 50))

    assert picture.to_jpeg(80) == first
    assert (picture.width, picture.height) == (4 * SIDE, 3 * SIDE)


def test_a_camera_s_jpeg_passes_through_untouched() -> None:
    data = codec.encode(pattern.draw(3, 320, 240), 71)
    picture = JpegPicture.read(data)

    assert (picture.width, picture.height) == (320, 240)
    assert picture.to_jpeg(10) is data
    assert picture.to_jpeg(10, (320, 240)) is data


def test_what_follows_a_jpeg_s_end_is_cut_off() -> None:
    data = codec.encode(pattern.draw(3, 320, 240), 71)

    assert JpegPicture.read(data + b"\0" * 4096).to_jpeg(10) == data


@pytest.mark.parametrize(
    "size", [(1280, 720), (640, 360), (638, 362), (320, 180), (161, 91), (90, 50)]
)
@pytest.mark.parametrize("kind", ["jpeg", "image", "video"])
def test_every_kind_of_picture_scales(kind: str, size: tuple[int, int]) -> None:
    image = pattern.draw(42, 640, 360, 7.0)
    frame = av.VideoFrame.from_ndarray(image, "bgr24").reformat(format="yuv420p")
    pictures: dict[str, Picture] = {
        "jpeg": JpegPicture.read(codec.encode(image, 95)),
        "image": ImagePicture(image),
        "video": VideoPicture(frame),
    }
    picture = pictures[kind]

    scaled = codec.decode(picture.to_jpeg(95, size))

    mark = pattern.read(scaled)
    assert scaled.shape == (size[1], size[0], 3)
    assert mark is not None
    assert mark.number == 42
    wanted = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    assert np.abs(scaled.astype(int) - wanted).mean() < 8


@pytest.mark.parametrize("size", [(640, 360), (160, 90)])
@pytest.mark.parametrize("kind", ["jpeg", "image", "video"])
@pytest.mark.parametrize("form", ["rgb", "gray", "jpeg"])
def test_every_kind_of_picture_becomes_each_form(
    kind: str, size: tuple[int, int], form: Form
) -> None:
    image = pattern.draw(42, 640, 360, 7.0)
    frame = av.VideoFrame.from_ndarray(image, "bgr24").reformat(format="yuv420p")
    pictures: dict[str, Picture] = {
        "jpeg": JpegPicture.read(codec.encode(image, 95)),
        "image": ImagePicture(image),
        "video": VideoPicture(frame),
    }

    data, media_type = encode(pictures[kind], form, quality=95, size=size)

    taken = formats.inspect(data, media_type=media_type)
    assert (taken.width, taken.height) == size
    shown = codec.decode(data) if form == "jpeg" else to_bgr(data, read_layout(media_type))
    wanted = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    if form == "gray":
        wanted = cv2.cvtColor(cv2.cvtColor(wanted, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    assert np.abs(shown.astype(int) - wanted).mean() < 8


def test_quality_counts() -> None:
    picture = ImagePicture(pattern.draw(3, 320, 240))

    assert len(picture.to_jpeg(20)) < len(picture.to_jpeg(90))


def test_bytes_that_do_not_decode_are_said_so_when_they_are_scaled() -> None:
    data = codec.encode(pattern.draw(3, 320, 240), 80)
    broken = data[:700] + b"\xff\xd9"

    picture = JpegPicture.read(broken)

    with pytest.raises(FrameError):
        picture.to_jpeg(80, (160, 120))


def test_a_truncated_jpeg_is_no_picture() -> None:
    with pytest.raises(FrameError):
        JpegPicture.read(codec.encode(pattern.draw(3, 320, 240), 80)[:-300])


def test_a_frame_of_video_is_scaled_by_one_thread_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Viewers and the poster may want it at the same moment, and PyAV changes it for so long."""
    video = VideoPicture(av.VideoFrame(64, 48, "yuv420p"))
    inside, most = [0], [0]

    def slowly(*args: Any) -> Any:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        threading.Event().wait(0.05)
        inside[0] -= 1
        return to_planes(*args)

    monkeypatch.setattr("sender.picture.to_planes", slowly)
    threads = [threading.Thread(target=video.to_jpeg, args=(80, (32, 24))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert most == [1]
