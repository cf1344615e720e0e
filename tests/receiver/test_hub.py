from __future__ import annotations

import dataclasses

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from receiver.camera import Camera
from receiver.hub import Hub
from receiver.result import Result
from receiver.ticket import Ticket
from shared.errors import FrameError
from shared.frame import EncodedFrame
from shared.latest import Closed
from shared.view.freshness import GONE_AFTER, STALE_AFTER
from tests.conftest import MakeFrame


def result_of(frame: EncodedFrame, state: str = "processed") -> Result:
    return Result(
        frame=frame,
        state="processed" if state == "processed" else "failed",
        picture=frame,
        queue=0.001,
        decode=0.002,
        hook=0.003,
    )


def test_a_frame_nobody_took_is_superseded(make_frame: MakeFrame) -> None:
    camera = Camera("cam1")
    for seq in range(3):
        assert camera.accept(make_frame(seq)) == "accepted"

    books = camera.books()
    assert (books.received, books.superseded, books.waiting) == (3, 2, 1)


def test_a_frame_in_the_hook_is_waiting_until_it_is_finished(make_frame: MakeFrame) -> None:
    camera = Camera("cam1")
    camera.accept(make_frame(0))
    frame = camera.pending.take()
    assert frame is not None
    assert camera.books().waiting == 1

    camera.finish(result_of(frame))

    books = camera.books()
    assert (books.processed, books.waiting) == (1, 0)


def test_a_repeated_frame_is_a_duplicate_once_something_became_of_it(make_frame: MakeFrame) -> None:
    camera = Camera("cam1")
    frame = make_frame(5)
    outcomes = [camera.accept(frame), camera.accept(make_frame(5))]
    assert camera.pending.take() is frame
    outcomes.append(camera.accept(make_frame(5)))
    camera.finish(result_of(frame))
    outcomes.append(camera.accept(make_frame(5)))

    assert outcomes == ["accepted", "waiting", "waiting", "duplicate"]
    assert (camera.books().received, camera.books().duplicate) == (1, 3)


def test_a_repeated_frame_is_a_duplicate_once_a_newer_one_took_its_place(
    make_frame: MakeFrame,
) -> None:
    camera = Camera("cam1")
    outcomes = [camera.accept(make_frame(seq)) for seq in (5, 6, 5)]

    assert outcomes == ["accepted", "accepted", "duplicate"]


def test_a_repeated_live_frame_that_shall_be_processed_is(make_frame: MakeFrame) -> None:
    camera = Camera("cam1")
    first = make_frame(0)
    camera.accept(first)
    camera.accept(make_frame(0), every=True)
    camera.accept(make_frame(1))

    assert camera.pending.take() is first
    assert camera.books().superseded == 0


def test_a_frame_that_no_hook_finished_is_new_when_it_comes_again(make_frame: MakeFrame) -> None:
    camera = Camera("cam1")
    ticket = Ticket()
    camera.accept(make_frame(0), every=True, ticket=ticket)
    frame = camera.pending.take()
    assert frame is not None

    camera.abandon(frame, "the hook went down")

    assert ticket.state == "closed"
    assert camera.results.peek() is None
    assert camera.accept(make_frame(0), every=True) == "accepted"
    books = camera.books()
    assert (books.received, books.failed, books.waiting, books.duplicate) == (2, 1, 1, 0)


def test_a_closed_camera_takes_no_frame_that_waits_for_settled(make_frame: MakeFrame) -> None:
    camera = Camera("cam1")
    camera.accept(make_frame(0), ticket=Ticket())
    camera.close()
    for _ in range(2):
        ticket = Ticket()
        assert camera.accept(make_frame(0)) == "waiting"
        joined = camera.pending.join(make_frame(0), ticket)
        assert joined is not None
        assert joined.state == "closed"


def test_a_frame_that_comes_after_a_newer_one_is_superseded(make_frame: MakeFrame) -> None:
    camera = Camera("cam1")
    camera.accept(make_frame(5))

    assert camera.accept(make_frame(4)) == "superseded"
    newest = camera.latest.peek()
    assert newest is not None
    assert newest.seq == 5
    assert camera.accept(make_frame(4)) == "duplicate"


def test_a_new_epoch_starts_the_numbers_anew(make_frame: MakeFrame) -> None:
    camera = Camera("cam1")
    camera.accept(make_frame(500, epoch="a", captured_at=10.0))

    assert camera.accept(make_frame(0, epoch="b", captured_at=11.0)) == "accepted"


def test_a_late_frame_of_a_former_epoch_is_superseded(make_frame: MakeFrame) -> None:
    camera = Camera("cam1")
    camera.accept(make_frame(500, epoch="a", captured_at=10.0))
    camera.accept(make_frame(0, epoch="b", captured_at=11.0))

    assert camera.accept(make_frame(501, epoch="a", captured_at=10.5)) == "superseded"
    assert camera.accept(make_frame(502, epoch="a", captured_at=12.0)) == "accepted"


def test_a_client_without_epochs_may_start_again(make_frame: MakeFrame) -> None:
    camera = Camera("cam1")
    camera.accept(make_frame(100, epoch="", captured_at=10.0))

    assert camera.accept(make_frame(0, epoch="", captured_at=11.0)) == "accepted"
    assert camera.accept(make_frame(1, epoch="", captured_at=12.0)) == "accepted"
    assert camera.accept(make_frame(1, epoch="", captured_at=12.0)) == "waiting"
    assert camera.books().duplicate == 1


def test_an_older_result_does_not_replace_a_newer_one(make_frame: MakeFrame) -> None:
    camera = Camera("cam1")
    frames = [make_frame(seq) for seq in range(2)]
    for frame in frames:
        camera.accept(frame)
        camera.pending.take()
    camera.finish(result_of(frames[1]))
    camera.finish(result_of(frames[0]))

    shown = camera.annotated.peek()
    assert shown is not None
    assert shown.seq == 1
    assert camera.books().processed == 2


def test_a_client_without_epochs_that_starts_again_is_shown_at_once(make_frame: MakeFrame) -> None:
    camera = Camera("cam1")
    for frame in (make_frame(100, epoch="", captured_at=10.0), make_frame(0, epoch="")):
        camera.accept(frame)
        camera.pending.take()
        camera.finish(result_of(frame))

        assert camera.annotated.peek() is frame


def test_a_camera_without_frames_goes_stale_and_then_gone(make_frame: MakeFrame) -> None:
    now = [0.0]
    hub = Hub(clock=lambda: now[0])
    hub.publish(make_frame())
    camera = hub.get("cam1")
    assert camera is not None

    states = []
    for seconds in (0.0, STALE_AFTER, GONE_AFTER):
        now[0] = seconds
        states.append(camera.state())

    assert states == ["live", "stale", "gone"]


@pytest.mark.parametrize(
    ("pictures", "seconds", "state"),
    [
        ("aaaa", 1.0, "frozen"),
        ("aaa", 1.0, "live"),  # for less than 3 s
        ("aa", 4.0, "live"),  # two may be chance
        ("aaaab", 1.0, "live"),
        ("abababab", 1.0, "live"),
        ("baaaa", 1.0, "frozen"),
    ],
)
def test_a_camera_whose_picture_repeats_is_frozen(
    pictures: str, seconds: float, state: str, make_frame: MakeFrame
) -> None:
    now = [0.0]
    camera = Camera("cam1", clock=lambda: now[0])
    camera.interval = seconds
    data = {name: make_frame(seq, captured_at=1.0).data for seq, name in enumerate("ab")}
    for seq, name in enumerate(pictures):
        now[0] += seconds
        # A copy: the same object would be equal without a look.
        copy = bytes(bytearray(data[name]))
        camera.accept(dataclasses.replace(make_frame(seq), data=copy))

    assert camera.state() == state
    assert camera.is_live()

    now[0] += STALE_AFTER + seconds
    assert camera.state() == "stale"


def test_pixels_in_shared_memory_are_not_taken_for_a_frozen_picture(make_frame: MakeFrame) -> None:
    now = [0.0]
    camera = Camera("cam1", clock=lambda: now[0])
    for seq in range(8):
        now[0] += 1
        camera.accept(dataclasses.replace(make_frame(seq), data=b""))

    assert camera.state() == "live"


def test_too_many_cameras_are_refused_until_one_is_gone(make_frame: MakeFrame) -> None:
    now = [0.0]
    hub = Hub(max_cameras=2, clock=lambda: now[0])
    hub.publish(make_frame(camera="a"))
    hub.publish(make_frame(camera="b"))

    with pytest.raises(FrameError) as refused:
        hub.publish(make_frame(camera="c"))
    assert refused.value.status == 429

    now[0] = GONE_AFTER
    hub.publish(make_frame(1, camera="b"))
    hub.publish(make_frame(camera="c"))
    assert [camera.name for camera in hub.cameras()] == ["b", "c"]


def test_names_of_strangers_do_not_grow_the_refusals(make_frame: MakeFrame) -> None:
    hub = Hub()
    hub.publish(make_frame(camera="known"))
    for name in ("x1", "x2", "known"):
        hub.refuse(name, "format")

    assert hub.refused() == {("", "format"): 2, ("known", "format"): 1}


def test_names_of_strangers_are_not_numbered(make_frame: MakeFrame) -> None:
    hub = Hub(max_cameras=1)
    hub.publish(make_frame(camera="known"))
    for name in ("x1", "x2"):
        with pytest.raises(FrameError) as refused:
            hub.number(name)
        assert refused.value.status == 429

    assert len(hub._numbers) == 0


def test_a_closed_hub_ends_its_readers_and_takes_no_more(make_frame: MakeFrame) -> None:
    hub = Hub()
    hub.publish(make_frame())
    camera = hub.get("cam1")
    assert camera is not None
    reader = camera.latest.reader()
    hub.close()

    assert reader.get(0) is not None
    with pytest.raises(Closed):
        reader.get(0)
    with pytest.raises(FrameError, match="shutting down"):
        hub.publish(make_frame(1))


def test_a_listener_hears_of_every_new_frame(make_frame: MakeFrame) -> None:
    hub = Hub()
    heard: list[str] = []
    hub.listen(lambda camera: heard.append(camera.name))
    hub.publish(make_frame(0))
    hub.publish(make_frame(0))
    hub.publish(make_frame(0, camera="other"))

    assert heard == ["cam1", "other"]


class BooksMachine(RuleBasedStateMachine):
    """Any order of frames, retries, restarts, hook runs and failures leaves the books closed."""

    def __init__(self) -> None:
        super().__init__()
        self.camera = Camera("cam1")
        self.in_hook: list[EncodedFrame] = []
        self.taken: list[tuple[str, int]] = []
        self.answers = {"accepted": 0, "superseded": 0, "duplicate": 0, "waiting": 0}
        self.time = 0.0

    @rule(epoch=st.sampled_from("abc"), seq=st.integers(0, 9))
    def post(self, epoch: str, seq: int) -> None:
        self.time += 1
        frame = EncodedFrame(
            camera="cam1", epoch=epoch, seq=seq, captured_at=self.time, data=b"", width=1, height=1
        )
        self.answers[self.camera.accept(frame)] += 1

    @rule()
    def take(self) -> None:
        frame = self.camera.pending.take()
        if frame is not None:
            self.in_hook.append(frame)

    @rule(state=st.sampled_from(["processed", "failed"]), last=st.booleans())
    def finish(self, state: str, last: bool) -> None:
        if self.in_hook:
            frame = self.in_hook.pop(-1 if last else 0)
            self.camera.finish(result_of(frame, state))

    @invariant()
    def the_books_close(self) -> None:
        books = self.camera.books()
        assert books.received == books.processed + books.superseded + books.failed + books.waiting
        assert books.received == self.answers["accepted"] + self.answers["superseded"]
        assert books.duplicate == self.answers["duplicate"] + self.answers["waiting"]
        assert all(count >= 0 for count in dataclasses.astuple(books))


TestBooks = BooksMachine.TestCase
TestBooks.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
