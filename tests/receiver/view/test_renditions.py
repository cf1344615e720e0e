from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.view.drawing import draw
from shared import codec, jpeg, pattern
from shared.errors import FrameError
from shared.frame import EncodedFrame
from shared.view.renditions import Rendition, Renditions, Wish
from tests.conftest import MakeFrame


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def as_png(frame: EncodedFrame) -> EncodedFrame:
    done, data = cv2.imencode(".png", codec.decode(frame.data))
    assert done
    return dataclasses.replace(frame, data=data.tobytes(), media_type="image/png")


def number(rendition: Rendition[EncodedFrame]) -> int:
    mark = pattern.read(codec.decode(rendition.data))
    assert mark is not None
    return mark.number


def test_a_frame_nobody_wished_otherwise_is_its_own_bytes(make_frame: MakeFrame) -> None:
    renditions = Renditions(draw)
    frame = make_frame()

    for wish in (Wish(), Wish(width=160), Wish(width=4000, height=3000)):
        assert renditions.render(frame, wish).data is frame.data
    assert renditions.encodes == 0


@pytest.mark.parametrize(
    ("wish", "size"),
    [
        (Wish(width=640), (640, 360)),
        (Wish(height=360), (640, 360)),
        (Wish(width=640, height=90), (160, 90)),
        (Wish(width=100, height=720), (96, 54)),
        (Wish(width=655), (640, 360)),
        (Wish(width=1), (16, 9)),
        (Wish(width=1280), (1280, 720)),
        (Wish(width=1920), (1280, 720)),
    ],
)
def test_a_picture_keeps_its_aspect_and_never_grows(wish: Wish, size: tuple[int, int]) -> None:
    assert wish.size(1280, 720) == size


@given(st.integers(1, 16384), st.integers(1, 16384), st.integers(1, 16384), st.integers(1, 16384))
def test_a_picture_fits_into_what_was_wished(width: int, height: int, wide: int, high: int) -> None:
    across, down = Wish(width=wide, height=high).size(width, height)

    assert 1 <= across <= width
    assert 1 <= down <= height
    assert across <= max(wide, 16)
    assert (across, down) == (width, height) or across % 16 == 0


def test_the_picture_is_what_was_wished(make_frame: MakeFrame) -> None:
    made = Renditions(draw).render(
        make_frame(7, width=1280, height=720), Wish(width=320, quality=90)
    )

    header = jpeg.read_header(made.data)
    assert (header.width, header.height) == (made.width, made.height) == (320, 180)
    assert number(made) == 7


def test_a_lower_quality_is_fewer_bytes(make_frame: MakeFrame) -> None:
    renditions = Renditions(draw)
    frame = make_frame(width=640, height=480)

    low = renditions.render(frame, Wish(quality=10))
    high = renditions.render(frame, Wish(quality=95))

    assert len(low.data) < len(frame.data) < len(high.data)


def test_a_png_is_shown_as_a_jpeg(make_frame: MakeFrame) -> None:
    renditions = Renditions(draw)
    frame = as_png(make_frame(5))

    whole = renditions.render(frame, Wish())
    small = renditions.render(frame, Wish(width=80))

    assert jpeg.read_header(whole.data).width == 160
    assert jpeg.read_header(small.data).width == 80
    assert number(whole) == 5


def test_equal_wishes_are_encoded_once_however_many_ask_at_the_same_time(
    make_frame: MakeFrame,
) -> None:
    renditions = Renditions(draw)
    frame = make_frame(width=1920, height=1080)
    together = threading.Barrier(8)
    made: list[Rendition[EncodedFrame]] = []

    def ask(width: int) -> None:
        together.wait(60)
        made.append(renditions.render(frame, Wish(width=width)))

    threads = [threading.Thread(target=ask, args=(640 + n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert renditions.encodes == 1
    assert len(made) == 8
    assert all(rendition is made[0] for rendition in made)


def test_one_wish_does_not_wait_for_another(
    make_frame: MakeFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    renditions = Renditions(draw)
    frame = make_frame()
    started, go_on = threading.Event(), threading.Event()
    encode: Callable[[codec.Image, int], bytes] = codec.encode

    def encode_slowly(image: codec.Image, quality: int) -> bytes:
        if image.shape[1] == 80:
            started.set()
            go_on.wait(60)
        return encode(image, quality)

    monkeypatch.setattr(codec, "encode", encode_slowly)
    slow = threading.Thread(target=renditions.render, args=(frame, Wish(width=80)))
    slow.start()
    assert started.wait(30)

    assert renditions.render(frame, Wish(width=96)).width == 96
    go_on.set()
    slow.join(30)


def test_raw_and_annotated_pictures_are_kept_apart(make_frame: MakeFrame) -> None:
    renditions = Renditions(draw)
    raw = make_frame(1)
    drawn = dataclasses.replace(raw, data=make_frame(2).data)

    for _ in range(3):
        assert number(renditions.render(raw, Wish(width=128))) == 1
        assert number(renditions.render(drawn, Wish(width=128), view="annotated")) == 2
    assert renditions.encodes == 2


def test_a_slower_viewer_gets_the_newer_picture_that_is_there_already(
    make_frame: MakeFrame,
) -> None:
    renditions = Renditions(draw)
    old, new = make_frame(1), make_frame(2)

    assert number(renditions.render(new, Wish(width=128))) == 2

    assert renditions.render(old, Wish(width=128)).frame is new
    assert renditions.encodes == 1


@pytest.mark.parametrize("wish", [Wish(), Wish(width=80)])
def test_all_who_wish_the_same_get_the_same_object(make_frame: MakeFrame, wish: Wish) -> None:
    renditions = Renditions(draw)
    first, second = make_frame(1), make_frame(2)

    made = renditions.render(first, wish)

    assert renditions.render(first, wish) is made
    assert renditions.render(second, wish) is not made


def test_a_picture_that_is_made_is_given_to_others_while_the_next_is_being_made(
    make_frame: MakeFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    renditions = Renditions(draw)
    first, second = make_frame(1), make_frame(2)
    made = renditions.render(first, Wish(width=80))
    is_making, go_on = threading.Event(), threading.Event()
    encode = codec.encode

    def wait(image: codec.Image, quality: int) -> bytes:
        is_making.set()
        assert go_on.wait(30)
        return encode(image, quality)

    monkeypatch.setattr("shared.codec.encode", wait)
    maker = threading.Thread(target=renditions.render, args=(second, Wish(width=80)))
    maker.start()
    assert is_making.wait(30)

    assert renditions.render(first, Wish(width=80)) is made
    go_on.set()
    maker.join()
    assert renditions.render(first, Wish(width=80)).frame is second


def test_untouched_pictures_of_cameras_that_ended_are_dropped(make_frame: MakeFrame) -> None:
    clock = Clock()
    renditions = Renditions(draw, clock=clock)
    renditions.render(dataclasses.replace(make_frame(1), camera="a", arrived=clock.now), Wish())
    clock.now += 3
    renditions.render(dataclasses.replace(make_frame(2), camera="b", arrived=clock.now), Wish())
    clock.now += 3

    renditions.expire()

    assert renditions.held() == 1


def test_a_picture_that_does_not_decode_is_refused_and_not_tried_again(
    make_frame: MakeFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    renditions = Renditions(draw)
    good = make_frame()
    bad = dataclasses.replace(good, data=good.data[:300] + good.data[-2:])
    tries = []
    reduced = codec.decode_reduced

    def count(data: bytes, factor: int) -> codec.Image:
        tries.append(factor)
        return reduced(data, factor)

    monkeypatch.setattr(codec, "decode_reduced", count)
    for _ in range(3):
        with pytest.raises(FrameError, match="does not decode") as caught:
            renditions.render(bad, Wish(width=80))
        assert caught.value.status == 422
    assert len(tries) == 1


def test_what_nobody_asks_for_is_dropped(make_frame: MakeFrame) -> None:
    clock = Clock()
    renditions = Renditions(draw, clock=clock)
    frame = make_frame()
    renditions.render(frame, Wish(width=80))
    clock.now += 4
    renditions.render(frame, Wish(width=96))
    clock.now += 3

    renditions.expire()

    assert renditions.held() == 1
    assert renditions.render(frame, Wish(width=96)).width == 96
    assert renditions.encodes == 2


def test_the_number_of_wishes_is_bounded(make_frame: MakeFrame) -> None:
    renditions = Renditions(draw, limit=4)
    frame = make_frame()

    for quality in range(1, 101):
        renditions.render(frame, Wish(width=64, quality=quality))

    assert renditions.held() == 4
    assert renditions.encodes <= 20


def test_encodes_are_a_metric(make_frame: MakeFrame) -> None:
    renditions = Renditions(draw)
    renditions.render(make_frame(), Wish(width=80))

    count, seconds, _ = (metric.samples[0] for metric in renditions.collect())

    assert (count.name, count.value) == ("framepost_renditions_total", 1)
    assert seconds.name == "framepost_rendition_seconds_total"
    assert 0 < seconds.value < 5


def test_a_grey_picture_is_shown_too() -> None:
    data = codec.encode(np.full((120, 160), 200, np.uint8), 90)
    frame = EncodedFrame(
        camera="c", epoch="", seq=0, captured_at=0, data=data, width=160, height=120
    )

    assert codec.decode(Renditions(draw).render(frame, Wish(width=80)).data).shape == (60, 80, 3)


def test_no_more_pictures_are_made_at_once_than_there_are_cores(
    make_frame: MakeFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.view.renditions.making", threading.BoundedSemaphore(2))
    begun, go = threading.Semaphore(0), threading.Event()

    def wait(frame: EncodedFrame, width: int, height: int, quality: int | None) -> bytes:
        begun.release()
        assert go.wait(30)
        return b""

    renditions, frame = Renditions(wait), make_frame(width=1280, height=720)
    viewers = [
        threading.Thread(target=renditions.render, args=(frame, Wish(width=16 * n)))
        for n in range(1, 6)
    ]
    for viewer in viewers:
        viewer.start()
    assert begun.acquire(timeout=30)
    assert begun.acquire(timeout=30)
    assert not begun.acquire(timeout=0.2)
    go.set()
    for viewer in viewers:
        viewer.join(30)

    assert renditions.encodes == 5
