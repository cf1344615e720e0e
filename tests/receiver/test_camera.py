"""A camera's counts, ages and states, to the frame and to the moment."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from receiver.books import Books, Elsewhere
from receiver.camera import Camera
from receiver.result import Result
from receiver.ticket import Ticket
from shared.frame import EncodedFrame
from shared.latest import Closed


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Watcher:
    """An observer that keeps what it was told."""

    def __init__(self) -> None:
        self.frames: list[int] = []
        self.results: list[tuple[int, str]] = []

    def received(self, frame: EncodedFrame) -> None:
        self.frames.append(frame.seq)

    def finished(self, result: Result) -> None:
        self.results.append((result.frame.seq, result.state))

    def forgotten(self, camera: str) -> None:
        pass

    def closed(self) -> None:
        pass


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def watcher() -> Watcher:
    return Watcher()


@pytest.fixture
def camera(clock: Clock, watcher: Watcher) -> Camera:
    return Camera("cam1", max_queue=2, observers=[watcher], clock=clock)


def frame(seq: int, *, data: bytes = b"\xff\xd8") -> EncodedFrame:
    return EncodedFrame(
        camera="cam1", epoch="e1", seq=seq, captured_at=seq, data=data, width=1, height=1
    )


def finish(camera: Camera, *, failed: bool = False, picture: EncodedFrame | None = None) -> Result:
    """Take the next frame and enter what the hook made of it."""
    taken = camera.pending.take()
    assert taken is not None
    result = Result(
        frame=taken,
        state="failed" if failed else "processed",
        picture=picture or taken,
        queue=0.001,
        decode=0.002,
        hook=0.003,
    )
    camera.finish(result)
    return result


def elsewhere(**facts: object) -> Elsewhere:
    said = Elsewhere(
        books=Books(received=1, processed=0, superseded=0, failed=0, waiting=1, duplicate=0),
        fps=1.0,
        viewers=0,
        idle=0.0,
        epoch="e1",
        seq=1,
        width=1,
        height=1,
        heard=1000.0,
    )
    return replace(said, **facts)  # type: ignore[arg-type]


def test_every_frame_is_in_one_column_of_the_books(camera: Camera, watcher: Watcher) -> None:
    for seq in (2, 3):
        camera.accept(frame(seq), every=True)
    for seq in (10, 11, 12):
        camera.accept(frame(seq))  # 10 and 11 give way
    assert camera.accept(frame(4)) == "superseded"
    assert camera.accept(frame(12)) == "waiting"
    finish(camera)
    finish(camera, failed=True)
    assert camera.accept(frame(2)) == "duplicate"
    given = camera.pending.take()
    assert given is not None

    assert camera.books() == Books(
        received=6, processed=1, superseded=3, failed=1, waiting=1, duplicate=2
    )

    told = Ticket()
    assert camera.pending.join(given, told) is told
    camera.supersede(given)
    assert told.state == "superseded"

    assert camera.books() == Books(
        received=6, processed=1, superseded=4, failed=1, waiting=0, duplicate=2
    )
    assert watcher.frames == [2, 3, 10, 11, 12, 4]
    assert watcher.results == [(2, "processed"), (3, "failed")]


def test_two_of_each_are_two(camera: Camera) -> None:
    for seq in range(4):
        camera.accept(frame(seq))
        finish(camera, failed=seq % 2 == 1)
    for _ in range(2):
        camera.accept(frame(0))
    for seq in (6, 8):
        camera.accept(frame(seq))
        taken = camera.pending.take()
        assert taken is not None
        camera.abandon(taken, "gone")
    camera.accept(frame(20))
    camera.accept(frame(18))
    camera.accept(frame(19))

    assert camera.books() == Books(
        received=9, processed=2, superseded=2, failed=4, waiting=1, duplicate=2
    )


def test_a_late_frame_s_caller_is_told_at_once(camera: Camera) -> None:
    camera.accept(frame(5))
    late, queued = Ticket(), Ticket()

    assert camera.accept(frame(3), ticket=late) == "superseded"
    assert camera.accept(frame(4), every=True, ticket=queued) == "accepted"

    assert (late.state, queued.state) == ("superseded", None)
    newest = camera.latest.peek()
    assert newest is not None
    assert newest.seq == 5


def test_a_caller_is_told_the_result_of_its_frame(camera: Camera) -> None:
    live, queued = Ticket(), Ticket()
    camera.accept(frame(1), ticket=live)
    camera.accept(frame(2), every=True, ticket=queued)

    results = [finish(camera, failed=True), finish(camera)]

    assert (queued.state, queued.result) == ("failed", results[0])
    assert (live.state, live.result) == ("processed", results[1])


def test_an_abandoned_frame_says_why_and_is_new_when_it_comes_again(
    camera: Camera, watcher: Watcher
) -> None:
    ticket = Ticket()
    camera.accept(frame(1), ticket=ticket)
    taken = camera.pending.take()
    assert taken is not None

    camera.abandon(taken, "the worker is gone")

    assert ticket.state == "closed"
    assert ticket.result is not None
    assert ticket.result.error == "the worker is gone"
    assert watcher.results == []
    assert camera.accept(frame(1)) == "accepted"


def test_the_picture_and_the_result_are_those_of_the_newest_frame(camera: Camera) -> None:
    drawn = replace(frame(1), data=b"drawn")
    camera.accept(frame(1))
    result = finish(camera, picture=drawn)
    assert camera.annotated.peek() == drawn
    assert camera.results.peek() is result
    assert camera.latencies.percentiles()["hook"]["p50"] == 3.0

    # Of shared memory there is no picture, but there is a result.
    camera.accept(frame(2))
    later = finish(camera, picture=frame(2, data=b""))
    assert camera.annotated.peek() == drawn
    assert camera.results.peek() is later


def test_a_result_of_another_receiver_is_shown_and_told_and_in_no_books(
    camera: Camera, watcher: Watcher
) -> None:
    camera.accept(frame(3))
    own = finish(camera)
    theirs = replace(own, frame=frame(2), is_ours=False)
    camera.show_result(theirs)
    assert camera.results.peek() is own  # theirs is older

    newer = replace(own, frame=frame(4), is_ours=False)
    camera.show_result(newer)
    camera.show(frame(5))

    newest = camera.latest.peek()
    assert newest is not None
    assert newest.seq == 5
    assert camera.results.peek() is newer
    assert [seq for seq, _ in watcher.results] == [3, 2, 4]
    assert (camera.books().received, camera.books().processed) == (1, 1)


def test_a_camera_is_as_old_as_its_last_frame(camera: Camera, clock: Clock) -> None:
    clock.now += 2.0
    assert (camera.own_age(), camera.age()) == (2.0, 2.0)
    camera.accept(frame(1))
    clock.now += 2.5
    assert (camera.own_age(), camera.age(), camera.state()) == (2.5, 2.5, "live")

    camera.accept(frame(1))  # a repeated one is no news
    assert camera.age() == 2.5
    clock.now += 0.5
    assert camera.state() == "stale"
    clock.now += 57.0
    assert (camera.age(), camera.state()) == (60.0, "gone")


def test_a_camera_whose_sender_was_asked_to_leave_a_pause_is_live_through_it(
    camera: Camera, clock: Clock
) -> None:
    camera.accept(frame(1))
    camera.interval = 10.0

    clock.now += 12.9
    assert (camera.state(), camera.is_live()) == ("live", True)
    clock.now += 0.2
    assert (camera.state(), camera.is_live()) == ("stale", False)


def test_a_camera_that_only_others_know_is_as_old_as_they_say(clock: Clock) -> None:
    camera = Camera("cam1", clock=clock, is_elsewhere=True)
    assert (camera.own_age(), camera.is_newer_elsewhere()) == (math.inf, False)

    camera.elsewhere = elsewhere(idle=0.5)
    clock.now += 1.25

    assert (camera.own_age(), camera.age()) == (math.inf, 1.75)
    assert camera.is_newer_elsewhere()
    assert camera.state() == "live"


def test_where_a_frame_came_last_says_whether_the_camera_is_still(
    camera: Camera, clock: Clock
) -> None:
    camera.elsewhere = elsewhere(idle=2.0, still=True)
    camera.accept(frame(1))
    clock.now += 1.0
    assert (camera.is_newer_elsewhere(), camera.age(), camera.is_still()) == (False, 1.0, False)

    camera.elsewhere = elsewhere(idle=0.0, heard=1000.5, still=True)
    assert (camera.is_newer_elsewhere(), camera.age(), camera.is_still()) == (True, 0.5, True)
    assert (camera.state(), camera.own_still) == ("frozen", False)

    camera.elsewhere = elsewhere(idle=0.0, heard=1000.0, still=True)
    assert not camera.is_newer_elsewhere()  # of equals it is the own one


def test_a_frozen_camera_says_so_itself(camera: Camera, clock: Clock) -> None:
    for seq in range(4):
        camera.accept(frame(seq, data=b"the same"))
        clock.now += 1.0

    assert (camera.own_still, camera.is_still(), camera.state()) == (True, True, "frozen")


def test_a_frame_that_several_viewers_are_shown_counts_once(camera: Camera) -> None:
    frames = [replace(frame(seq), arrived=float(seq)) for seq in range(3)]
    for seq in (1, 1, 0, 2, 2):
        camera.count_shown(frames[seq])

    assert camera.shown == 2


def test_a_camera_is_watched_while_somebody_views_it_or_has_just_looked(
    camera: Camera, clock: Clock
) -> None:
    assert not camera.is_watched()
    camera.count_viewers(2)
    camera.count_viewers(-1)
    assert (camera.viewers, camera.is_watched()) == (1, True)
    camera.count_viewers(-1)
    assert not camera.is_watched()

    camera.glance()
    clock.now += 4.9
    assert camera.is_watched()
    clock.now += 0.1
    assert not camera.is_watched()


def test_frames_a_second_are_counted_by_the_camera_s_clock(camera: Camera, clock: Clock) -> None:
    clock.now += 10.0
    for seq in range(10):
        camera.accept(frame(seq))

    assert camera.arrivals.per_second() == 2.0
    clock.now += 5.0
    assert camera.arrivals.per_second() == 0.0


def test_a_closed_camera_ends_its_readers(camera: Camera) -> None:
    frames, pictures = camera.latest.reader(), camera.annotated.reader()
    results = camera.results.reader()

    camera.close()

    for get in (frames.get, pictures.get, results.get):
        with pytest.raises(Closed):
            get(0)
    camera.accept(frame(1))
    assert camera.pending.take() is None
