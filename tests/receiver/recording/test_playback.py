"""What was recorded, listed and shown again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from receiver.recording.playback import Playback, read_shots
from receiver.recording.shelf import Recording, Shelf
from receiver.recording.summary import Summaries
from shared.recording import Recording as Film
from tests.conftest import MakeFrame
from tests.receiver.recording.conftest import MakeRecorder, result_of

START = 1_790_000_000.0
MakeRecording = Callable[..., Recording]


@pytest.fixture
def record(make_recorder: MakeRecorder, make_frame: MakeFrame, tmp_path: Path) -> MakeRecording:
    """Return a maker of a recording of 20 frames, ten a second; every other one has a result."""

    def make(*, close: bool = True, late: int = 1) -> Recording:
        recorder = make_recorder()
        frames = [make_frame(n, captured_at=START + n / 10) for n in range(20)]
        for n, frame in enumerate(frames):
            recorder.received(frame)
            if n >= late and (n - late) % 2 == 0:
                recorder.finished(result_of(frames[n - late], {"n": n - late}))
        recorder.ask("cam1", 1)
        recorder.work()
        if close:
            recorder.close()
        (recording,) = Shelf(tmp_path).all()
        return recording

    return make


class Clock:
    """Goes on as it is waited on; an Event that is never set."""

    def __init__(self) -> None:
        self.now = 100.0
        self.waits: list[float] = []
        self.is_over = False

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        self.now += seconds
        return self.is_over

    def is_set(self) -> bool:
        return self.is_over


def play(recording: Recording, clock: Clock, **how: float) -> Playback:
    return Playback(recording, **how, clock=clock, closing=clock)  # type: ignore[arg-type]


@pytest.mark.parametrize("late", [1, 9])
def test_each_frame_comes_with_its_result_however_late_that_was(
    record: MakeRecording, late: int
) -> None:
    shots = list(read_shots(record(late=late).sidecar, 0))

    assert [shot.frame.seq for shot in shots] == list(range(20))
    told = [shot.result and shot.result["result"]["n"] for shot in shots]
    assert told == [n if n % 2 == 0 and n + late < 20 else None for n in range(20)]


def test_a_torn_end_is_left_out(record: MakeRecording) -> None:
    recording = record(close=False)
    data = recording.jsonl.read_bytes()
    whole = [at for at in range(len(data)) if data[at : at + 1] == b"\n"]
    for cut in range(0, len(data), 37):
        recording.jsonl.write_bytes(data[:cut])
        before = data[:cut].count(b'\n{"frame"')
        assert len(list(read_shots(recording.sidecar, 0))) in (before - 1, before), whole


@pytest.mark.parametrize(
    "line",
    [
        b'{"frame":5}',
        b'{"frame":{}}',
        b'{"frame":{"epoch":"e","seq":1,"pts_ms":1}}',
        b'{"result":{}}',
        b'{"result":[1]}',
        b'{"frame":"x"',
    ],
)
def test_a_line_that_is_none_of_ours_is_passed_over(record: MakeRecording, line: bytes) -> None:
    recording = record()
    kept = recording.jsonl.read_bytes().splitlines(keepends=True)[:6]
    recording.jsonl.write_bytes(b"".join([*kept, line, b"\n", *kept[1:]]))

    frames = 2 * sum(each.startswith(b'{"frame"') for each in kept)
    assert len(list(read_shots(recording.sidecar, 0))) == frames


def test_it_plays_at_the_pace_in_which_it_came(record: MakeRecording) -> None:
    clock = Clock()
    playback = play(record(), clock)
    at = [(round(clock.now, 3), shown[0].frame.seq) for shown in playback if shown]
    playback.close()

    assert at == [(round(100 + n / 10, 3), n) for n in range(20)]


def test_the_pictures_are_those_that_came(record: MakeRecording, make_frame: MakeFrame) -> None:
    playback = play(record(), Clock())
    found = [shown[1] for shown in playback if shown]
    playback.close()

    assert found == [make_frame(n, captured_at=START + n / 10).data for n in range(20)]


def test_it_begins_anywhere_at_once_and_goes_at_any_speed(record: MakeRecording) -> None:
    clock = Clock()
    playback = play(record(), clock, start=1.0, speed=4.0)
    at = [(round(clock.now, 3), shown[0].frame.seq) for shown in playback if shown]
    playback.close()

    assert at == [(round(100 + n / 40, 3), 10 + n) for n in range(10)]


def test_a_viewer_that_is_too_slow_sees_less_and_not_later(record: MakeRecording) -> None:
    clock = Clock()
    playback = play(record(), clock)
    seen = []
    for shown in playback:
        assert shown is not None
        seen.append(shown[0].frame.seq)
        clock.now += 0.7  # what it takes to send a picture
    playback.close()

    assert seen == sorted(seen)
    assert len(seen) < 20
    assert clock.now < 103.5  # 1.9 s, and not 14


def test_at_most_as_many_pictures_as_are_wished(record: MakeRecording) -> None:
    playback = play(record(), Clock(), fps=5.0)
    seen = [shown[0].frame.seq for shown in playback if shown]
    playback.close()

    assert len(seen) in (10, 11)
    assert seen[-1] >= 18


def test_a_gap_has_a_sign_of_life_each_second(
    make_recorder: MakeRecorder, make_frame: MakeFrame, tmp_path: Path
) -> None:
    recorder = make_recorder()
    for n, at in enumerate((0.0, 3.5)):
        recorder.received(make_frame(n, captured_at=START + at))
    recorder.work()
    recorder.close()
    clock = Clock()
    playback = play(Shelf(tmp_path).all()[0], clock)

    shown = [(round(playback.at, 3), one is None) for one in playback]
    playback.close()

    assert shown == [(0.0, False), (1.0, True), (2.0, True), (3.0, True), (3.5, False)]


def test_it_ends_when_the_receiver_does(record: MakeRecording) -> None:
    clock = Clock()
    playback = play(record(), clock)
    seen = 0
    for _ in playback:
        seen += 1
        clock.is_over = True
    playback.close()

    assert seen == 1
    assert playback.is_closing


def test_a_video_that_broke_off_ends_it(record: MakeRecording) -> None:
    recording = record(close=False)
    size = recording.mkv.stat().st_size
    with recording.mkv.open("r+b") as file:
        file.truncate(size // 2)
    playback = play(recording, Clock())
    seen = sum(1 for _ in playback)
    playback.close()

    assert 8 <= seen <= 11


def test_a_summary_says_what_is_in_it(record: MakeRecording) -> None:
    recording = record()

    facts = Summaries().facts(recording)

    assert facts == {
        "camera": "cam1",
        "name": recording.name,
        "started": recording.started,
        "seconds": 1.9,
        "frames": 20,
        "bytes": recording.mkv.stat().st_size + recording.jsonl.stat().st_size,
        "complete": True,
        "events": 1,
    }


def test_a_summary_of_what_goes_on_is_read_on(
    record: MakeRecording, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = record(close=False)
    data = recording.jsonl.read_bytes()
    summaries = Summaries()
    frames = []
    for cut in range(0, len(data), 211):
        recording.jsonl.write_bytes(data[:cut])
        summary = summaries.of(recording)
        assert not summary.complete
        frames.append(summary.frames)
    recording.jsonl.write_bytes(data)
    summary = summaries.of(recording)

    assert frames == sorted(frames)
    assert (summary.frames, summary.last, summary.events) == (20, 1900, 1)
    with recording.jsonl.open("ab") as file:
        end = {"end": {"frames": 20, "seconds": 1.9, "events": 1}}
        file.write(json.dumps(end).encode() + b"\n")
    assert summaries.of(recording).complete


@pytest.mark.parametrize("garbage", [b"", b"\0" * 300, b'{"end":1}\n', b'{"end":\n', b"[]\n"])
def test_a_summary_of_garbage_is_empty(record: MakeRecording, garbage: bytes) -> None:
    recording = record()
    recording.jsonl.write_bytes(garbage)

    assert Summaries().of(recording).frames == 0
    assert list(read_shots(recording.sidecar, 0)) == []


@pytest.mark.parametrize("close", [True, False], ids=["closed", "broken off"])
def test_the_reader_of_recordings_finds_all_of_it(
    record: MakeRecording, make_frame: MakeFrame, *, close: bool
) -> None:
    film = Film.open(record(close=close).mkv)
    frames = list(film.frames())

    assert (film.camera, film.complete, len(frames)) == ("cam1", close, 20)
    for n, frame in enumerate(frames):
        expected = make_frame(n, captured_at=START + n / 10)
        assert (frame.data, frame.width, frame.height) == (expected.data, 160, 120)
        assert (frame.epoch, frame.seq, frame.captured_at) == ("e1", n, START + n / 10)
        assert round(frame.pts, 3) == n / 10
