from __future__ import annotations

import logging
import re
import threading

import pytest

from sender.intake import Intake
from sender.limits import Limits
from sender.reader import CapturedFrame, Reader
from sender.sources.contract import EndOfSource, Reason, SourceError
from shared.control import Control
from shared.latest import Closed, Latest
from tests.sender.doubles import Event, ScriptedSource, shot


class PatientReader(Reader):
    """Notes its pauses instead of making them, and puts the clock forward."""

    pauses: list[float]
    line: Line

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.line.now += seconds


class Line:
    """A reader that is stepped by hand, on a clock that is set by hand."""

    def __init__(
        self,
        *script: Event | None,
        fps: float | None = None,
        keep_corrupt: bool = False,
        finite: bool = False,
        whole: bool = False,
        depth: int = 1000,
    ) -> None:
        self.now = 100.0
        self.slot: Latest[CapturedFrame] = Latest(depth)
        self.place = self.slot.reader()
        self.intake = Intake(lambda: self.now)
        self.source = ScriptedSource(script, finite=finite)
        self.limits = Limits("cam1", fps=fps)
        self.reader = PatientReader(
            "cam1",
            self.source,
            slot=self.slot,
            intake=self.intake,
            limits=self.limits,
            keep_corrupt=keep_corrupt,
            taker=self.place if whole else None,
            clock=lambda: self.now,
        )
        self.reader.pauses = []
        self.reader.line = self

    def step(self, times: int = 1, *, every: float = 0.04) -> None:
        for _ in range(times):
            self.reader.step()
            self.now += every

    def frames(self) -> list[CapturedFrame]:
        """Return what is in the slot, oldest first."""
        found = []
        while (frame := self.place.get(0)) is not None:
            found.append(frame)
        return found[::-1]


def lost(reason: Reason = "timeout", *, permanent: bool = False) -> SourceError:
    return SourceError("rtsp://u:canary@h/: no answer", reason=reason, permanent=permanent)


def test_frames_are_numbered_within_an_epoch() -> None:
    line = Line(None, shot(), shot(), shot())
    line.step(4)

    frames = line.frames()
    assert [frame.seq for frame in frames] == [0, 1, 2]
    assert len({frame.epoch for frame in frames}) == 1
    assert frames[0].captured == 1000.0
    assert line.intake.state() == "live"


def test_a_connection_begins_an_epoch() -> None:
    line = Line(None, shot(), shot(), lost(), None, shot())
    line.step(6)

    frames = line.frames()
    assert [frame.seq for frame in frames] == [0, 1, 0]
    assert frames[1].epoch != frames[2].epoch
    assert line.intake.reconnects == 1


def test_a_change_of_size_begins_an_epoch() -> None:
    line = Line(None, shot(), shot(width=128), shot(width=128))
    line.step(4)

    frames = line.frames()
    assert [frame.seq for frame in frames] == [0, 0, 1]
    assert frames[0].epoch != frames[1].epoch == frames[2].epoch
    assert line.intake.width == 128


def test_frames_are_thinned_evenly_and_counted_apart() -> None:
    line = Line(None, *[shot()] * 250, fps=10)
    line.step(251)

    assert line.intake.thinned == pytest.approx(150, abs=2)
    frames = line.frames()
    assert [frame.seq for frame in frames] == list(range(250 - line.intake.thinned))


def test_the_receiver_s_wish_thins_frames_and_can_be_lifted() -> None:
    line = Line(None, *[shot()] * 750, fps=20)
    thinned: list[int] = []
    for wish in (Control(fps=5), Control(fps=25), None):
        line.limits.hear(wish)
        before = line.intake.thinned
        line.step(250 + (not thinned))
        thinned.append(line.intake.thinned - before)

    assert thinned == [
        pytest.approx(200, abs=2),
        pytest.approx(50, abs=2),
        pytest.approx(50, abs=2),
    ]
    assert [frame.seq for frame in line.frames()] == list(range(750 - sum(thinned)))


def test_a_camera_whose_frames_are_left_out_is_not_taken_for_stalled() -> None:
    line = Line(None, *[shot()] * 250)
    line.limits.hear(Control(fps=0.02))
    line.step(251)

    assert line.intake.state() == "live"
    line.now += 4
    assert line.intake.state() == "stalled"


def test_damaged_frames_are_dropped_until_a_sound_one() -> None:
    line = Line(None, shot(b"a"), shot(b"b", corrupt=True), shot(b"c", corrupt=True), shot(b"d"))
    line.step(5)

    assert [frame.picture.to_jpeg(80) for frame in line.frames()] == [b"a", b"d"]
    assert line.intake.corrupt == 2


def test_damaged_frames_are_kept_on_request_and_counted_all_the_same() -> None:
    line = Line(None, shot(b"a", corrupt=True, lost=2), keep_corrupt=True)
    line.step(2)

    assert len(line.frames()) == 1
    assert line.intake.corrupt == 3


def test_a_lost_camera_is_tried_for_ever_with_growing_pauses() -> None:
    line = Line(*[lost("refused")] * 40)
    line.step(40)

    pauses = line.reader.pauses
    assert len(pauses) == 40
    assert pauses[0] <= 0.25
    assert all(0.125 <= pause <= 2.0 for pause in pauses)
    assert sum(pauses[5:]) > 35 * 0.5, "longer than at first"
    assert line.intake.state() == "retrying"
    assert line.source.calls == ["open", "close"] * 40


def test_a_wrong_password_is_tried_every_half_minute_at_most() -> None:
    line = Line(*[lost("auth")] * 5)
    line.step(5)

    assert min(line.reader.pauses) >= 30
    assert line.intake.state() == "auth_failed"


def test_a_path_with_nothing_under_it_is_tried_ever_more_seldom() -> None:
    line = Line(*[lost("not_found")] * 8)
    line.step(8)

    assert max(line.reader.pauses[:2]) <= 0.5
    assert min(line.reader.pauses[2:]) >= 30
    assert line.intake.state() == "not_found"


def test_pauses_start_over_only_after_frames_have_flowed() -> None:
    flicker: list[Event | None] = [lost(), None, shot(), lost()] * 5
    line = Line(*flicker, None, *[shot()] * 200, lost())
    line.step(20)
    assert max(line.reader.pauses) > 0.25

    line.step(202)
    assert line.reader.pauses[-1] <= 0.25


def test_trouble_is_told_once_and_its_end_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    line = Line(None, shot(), *[lost()] * 20, None, *[shot()] * 50)
    line.step(73)

    _, first, last = caplog.messages
    assert first == "camera cam1: lost (rtsp://***@h/: no answer), trying again"
    assert re.fullmatch(r"camera cam1: frames come again after \d+\.\d s and 20 failures", last)
    assert line.intake.error == "rtsp://***@h/: no answer"


def test_a_permanently_wrong_source_ends_the_reader(caplog: pytest.LogCaptureFixture) -> None:
    line = Line(lost("format", permanent=True))
    line.step()

    assert line.intake.state() == "failed"
    assert line.reader.stopping
    with pytest.raises(Closed):
        line.place.get(0)
    assert len(caplog.messages) == 1


def test_the_end_of_a_finite_source_closes_the_slot() -> None:
    line = Line(None, shot(), EndOfSource("over"), finite=True)
    line.step(3)

    assert line.intake.state() == "ended"
    assert line.reader.stopping
    assert line.place.get(0) is not None
    with pytest.raises(Closed):
        line.place.get(0)


def test_a_file_that_fails_half_way_is_not_begun_again() -> None:
    line = Line(None, shot(), lost("format"), finite=True)
    line.step(3)

    assert line.intake.state() == "failed"


def test_with_a_taker_nothing_is_replaced() -> None:
    line = Line(None, *[shot()] * 50, EndOfSource("over"), finite=True, depth=1, whole=True)
    seen: list[int] = []

    def take() -> None:
        try:
            while (frame := line.place.get(5)) is not None:
                seen.append(frame.seq)
        except Closed:
            pass

    thread = threading.Thread(target=take)
    thread.start()
    line.step(52)
    thread.join(30)

    assert seen == list(range(50))


def test_with_a_taker_frames_wait_until_they_are_due() -> None:
    line = Line(None, *[shot()] * 4, finite=True, fps=10, whole=True)
    for _ in range(3):
        line.step(every=0)
        line.place.get(0)
    assert line.reader.pauses == []

    line.step(every=0)

    assert line.reader.pauses == [pytest.approx(0.1)]
    assert line.place.counts() == (2, 0, 1)
    assert line.intake.thinned == 0


def test_with_a_taker_a_wish_delays_frames_and_loses_none() -> None:
    line = Line(None, *[shot()] * 6, finite=True, whole=True)
    line.limits.hear(Control(fps=0.2))
    for _ in range(7):
        line.step(every=0)
        line.place.get(0)

    assert line.place.counts() == (6, 0, 0)
    assert line.intake.thinned == 0
    assert sum(line.reader.pauses) == pytest.approx(20)
    line.now += 2  # besides the 5 s that the last frame was held back
    assert line.intake.state() == "live"
    line.now += 2
    assert line.intake.state() == "stalled"


def test_a_stop_ends_the_wait_for_the_taker() -> None:
    line = Line(None, shot(), shot(), depth=1, whole=True)
    line.step(2)
    line.reader.finish()
    line.step()

    assert line.place.counts() == (0, 0, 1)


def test_a_camera_without_frames_is_stalled() -> None:
    line = Line(None, shot())
    line.step(2)
    line.now += 5

    assert line.intake.state() == "stalled"
    assert line.intake.idle() == pytest.approx(5.04)


def test_an_interrupt_ends_a_wait_and_the_source_is_closed() -> None:
    source = ScriptedSource([None, shot()])
    slot: Latest[CapturedFrame] = Latest()
    reader = Reader("cam1", source, slot=slot, intake=(intake := Intake())).start()
    assert source.blocked.wait(30)
    assert reader.busy_since is not None

    reader.ask_to_stop()
    reader.interrupt()

    assert reader.join(30)
    assert source.calls == ["open", "close"]
    assert reader.error is None
    assert intake.error is None


def test_a_reader_that_was_given_up_puts_nothing_any_more() -> None:
    line = Line(None, shot())
    line.step()
    line.reader.finish()
    line.step()

    assert line.place.counts() == (0, 0, 0)
