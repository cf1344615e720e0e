from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterator
from itertools import islice, pairwise

import pytest

from receiver.camera import Camera
from receiver.view.drawing import draw
from shared.frame import EncodedFrame
from shared.seats import Seats
from shared.view.query import Query
from shared.view.renditions import Rendition, Renditions, Wish
from shared.view.viewer import Pace, watch
from tests.conftest import MakeFrame


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def view(
    camera: Camera, query: Query | None = None, *, repeat: float = 5
) -> Iterator[Rendition[EncodedFrame]]:
    return watch(camera, query or Query(), Renditions(draw), repeat=repeat)


def seqs(pictures: Iterator[Rendition[EncodedFrame]], count: int) -> list[int]:
    return [picture.frame.seq for picture in islice(pictures, count)]


def test_a_viewer_starts_with_the_newest_picture_at_once(make_frame: MakeFrame) -> None:
    camera = Camera("cam1")
    for seq in range(5):
        camera.accept(make_frame(seq))

    assert seqs(view(camera), 1) == [4]


def test_a_stuck_viewer_takes_nothing_from_the_others(make_frame: MakeFrame) -> None:
    camera = Camera("cam1")
    camera.accept(make_frame(0))
    stuck, slow, quick = view(camera), view(camera), view(camera)
    assert seqs(stuck, 1) + seqs(slow, 1) + seqs(quick, 1) == [0, 0, 0]

    seen = []
    for seq in range(1, 9):
        camera.accept(make_frame(seq))
        seen += seqs(quick, 1)

    assert seen == [1, 2, 3, 4, 5, 6, 7, 8]
    assert seqs(slow, 1) == [8]


def test_what_a_viewer_is_too_slow_for_is_counted(make_frame: MakeFrame) -> None:
    camera, renditions = Camera("cam1"), Renditions(draw)
    pictures = watch(camera, Query(), renditions, repeat=5)
    for seq in (0, 1, 2, 5):
        camera.accept(make_frame(seq))
    first = seqs(pictures, 1)
    at_first = renditions.skipped
    for seq in (6, 7, 8):
        camera.accept(make_frame(seq))

    assert (first, at_first, seqs(pictures, 1)) == ([5], 0, [8])
    assert renditions.skipped == 2
    assert "framepost_pictures_skipped" in [metric.name for metric in renditions.collect()]


def test_the_last_picture_is_repeated_while_no_newer_one_comes(make_frame: MakeFrame) -> None:
    camera = Camera("cam1")
    camera.accept(make_frame(3))

    assert seqs(view(camera, repeat=0.01), 3) == [3, 3, 3]


def test_a_view_goes_on_over_a_stale_time_and_ends_when_the_camera_is_gone(
    make_frame: MakeFrame,
) -> None:
    clock = Clock()
    camera = Camera("cam1", clock=clock)
    camera.accept(make_frame(0))
    pictures = view(camera, repeat=0.01)
    assert seqs(pictures, 1) == [0]

    clock.now += 30
    assert camera.state() == "stale"
    assert seqs(pictures, 2) == [0, 0]
    camera.accept(make_frame(1))
    assert seqs(pictures, 1) == [1]
    clock.now += 100
    assert camera.state() == "gone"

    assert len(list(pictures)) <= 1


def test_a_view_ends_when_the_hub_closes(make_frame: MakeFrame) -> None:
    camera = Camera("cam1")
    camera.accept(make_frame(0))
    pictures = view(camera)
    assert seqs(pictures, 1) == [0]
    closer = threading.Timer(0.05, camera.close)
    closer.start()

    assert list(pictures) == []
    closer.join()


def test_annotated_is_the_raw_picture_until_a_hook_draws(make_frame: MakeFrame) -> None:
    camera = Camera("cam1")
    camera.accept(make_frame(0))
    pictures = view(camera, Query("annotated"), repeat=0.01)
    assert seqs(pictures, 1) == [0]
    drawn = dataclasses.replace(make_frame(0), data=b"drawn")

    camera.annotated.put(drawn)

    assert drawn in [picture.frame for picture in islice(pictures, 2)]


def test_a_picture_that_does_not_decode_is_left_out(make_frame: MakeFrame) -> None:
    camera = Camera("cam1")
    good = make_frame(0)
    camera.accept(good)
    pictures = view(camera, Query(wish=Wish(width=80)))
    assert seqs(pictures, 1) == [0]
    camera.accept(dataclasses.replace(make_frame(1), data=b"\xff\xd8\xff\xd9"))
    later = threading.Timer(0.05, camera.accept, (make_frame(2),))
    later.start()

    assert seqs(pictures, 1) == [2]
    later.join()


@pytest.mark.parametrize("fps", [25, 24, 15, 10, 7, 3, 1])
@pytest.mark.parametrize("jitter", [0.0, 0.012])
def test_pictures_are_thinned_to_the_wished_rate(fps: float, jitter: float) -> None:
    pace = Pace(fps)
    times = [n / 25 + (jitter if n % 3 == 0 else 0) for n in range(501)]

    admitted = [at for at in times if pace.admits(at)]

    assert len(admitted) == pytest.approx(20 * fps, rel=0.05, abs=2)
    gaps = [b - a for a, b in pairwise(admitted)]
    assert max(gaps) <= 1 / fps + 0.04 + 2 * jitter


def test_a_slow_camera_is_not_thinned() -> None:
    pace = Pace(10)

    assert all(pace.admits(n * 0.25) for n in range(40))


def test_a_pause_is_not_made_up_for_with_a_burst() -> None:
    pace = Pace(10)
    assert pace.admits(0.0)

    assert sum(pace.admits(60 + n / 100) for n in range(50)) <= 7


def test_seats_are_bounded_and_counted() -> None:
    seats = Seats(2)
    camera = Camera("cam1")

    leave = [seats.take(camera), seats.take(camera)]

    assert camera.viewers == 2
    assert seats.take(camera) is None
    first: Callable[[], None] | None = leave[0]
    assert first is not None
    first()
    first()
    assert camera.viewers == 1
    assert seats.take(camera) is not None
    assert seats.take(camera) is None
