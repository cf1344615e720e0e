"""Events: a hook or a person asks, and what was before is recorded too."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from receiver.recording.plan import event_seconds
from receiver.recording.preroll import Preroll, Told
from receiver.recording.recorder import Recorder
from shared.frame import EncodedFrame
from tests.conftest import MakeFrame
from tests.receiver.recording.conftest import (
    MakeRecorder,
    frame_lines,
    lines,
    result_of,
    videos,
)


def at(frame: EncodedFrame, ago: float) -> EncodedFrame:
    """Return the frame as if it had come `ago` seconds before."""
    return replace(frame, arrived=time.monotonic() - ago, captured_at=time.time() - ago)


def seqs(folder: Path) -> list[list[int]]:
    found = sorted(folder.glob("*/*.jsonl"))
    return [[line["seq"] for line in frame_lines(path)] for path in found]


def feed(recorder: Recorder, *frames: EncodedFrame) -> None:
    for frame in frames:
        recorder.received(frame)
    recorder.work()


def test_nothing_is_written_until_somebody_asks(
    make_recorder: MakeRecorder, make_frame: MakeFrame, tmp_path: Path
) -> None:
    recorder = make_recorder("event")
    for n in range(20):
        feed(recorder, make_frame(n))
        recorder.finished(result_of(make_frame(n), {"objects": []}))
    recorder.close()

    assert not list(tmp_path.iterdir())
    tally = recorder.tallies()["cam1"]
    assert (tally.taken, tally.passed) == (20, 20)


def test_an_event_has_the_seconds_before_it_and_after(
    make_recorder: MakeRecorder, make_frame: MakeFrame, tmp_path: Path
) -> None:
    recorder = make_recorder("event", before=5.0)
    # One a second: 20 s to 1 s ago.
    frames = [at(make_frame(n), 20.0 - n) for n in range(20)]
    for frame in frames:
        feed(recorder, frame)
        recorder.finished(result_of(frame))
    recorder.finished(result_of(frames[19], {"record": 0.2, "who": "Ann"}))
    feed(recorder, make_frame(20))
    time.sleep(0.3)
    feed(recorder, make_frame(21), make_frame(22))
    recorder.close()

    assert seqs(tmp_path) == [[14, 15, 16, 17, 18, 19, 20]]
    (path,) = tmp_path.glob("*/*.jsonl")
    told = lines(path)
    assert [line["event"]["reason"] for line in told if "event" in line] == ["hook"]
    results = [line["result"] for line in told if "result" in line]
    assert [one["seq"] for one in results] == [14, 15, 16, 17, 18, 19, 19]
    assert results[-1]["result"] == {"record": 0.2, "who": "Ann"}
    tally = recorder.tallies()["cam1"]
    assert (tally.taken, tally.recorded, tally.passed) == (23, 7, 16)


def test_a_slow_hooks_event_has_the_seconds_before_the_frame_it_saw(
    make_recorder: MakeRecorder, make_frame: MakeFrame, tmp_path: Path
) -> None:
    recorder = make_recorder("event", before=2.5)
    frames = [at(make_frame(n), 10.0 - n) for n in range(10)]
    feed(recorder, *frames[:5])
    recorder.finished(result_of(frames[4]))  # it saw this one last
    feed(recorder, *frames[5:])
    recorder.finished(result_of(frames[4], {"record": 1}))
    recorder.work()
    recorder.close()

    assert seqs(tmp_path) == [[2, 3, 4, 5, 6, 7, 8, 9]]


def test_an_event_is_extended_and_told_of_once(
    make_recorder: MakeRecorder, make_frame: MakeFrame, tmp_path: Path
) -> None:
    recorder = make_recorder("event", before=1.0)
    for n in range(5):
        frame = make_frame(n)
        feed(recorder, frame)
        recorder.finished(result_of(frame, {"record": 0.3}))
        recorder.work()
        time.sleep(0.15)  # together longer than one of them
    recorder.close()

    assert seqs(tmp_path) == [[0, 1, 2, 3, 4]]
    (path,) = tmp_path.glob("*/*.jsonl")
    assert sum("event" in line for line in lines(path)) == 1


def test_what_is_held_is_bounded_by_bytes(
    make_recorder: MakeRecorder, make_frame: MakeFrame, tmp_path: Path
) -> None:
    frames = {c: [make_frame(n, camera=c) for n in range(10)] for c in ("a", "b")}
    size = max(len(frame.data) for each in frames.values() for frame in each)
    recorder = make_recorder("event", before=60.0, held=6 * size)
    feed(recorder, *frames["a"], *frames["b"])
    for camera in frames:
        recorder.ask(camera, 1)
    recorder.work()
    recorder.close()

    # Three for each of the two, where that many fit.
    assert [len(each) for each in seqs(tmp_path)] == [3, 3]


def test_a_person_may_ask_whatever_the_schedule_says(
    make_recorder: MakeRecorder, make_frame: MakeFrame, tmp_path: Path
) -> None:
    hour = (time.localtime().tm_hour + 12) % 24
    recorder = make_recorder(f"{hour:02}:00-{hour:02}:59")
    frame = make_frame(1)
    feed(recorder, frame)
    recorder.finished(result_of(frame, {"record": 5}))  # no: events are not asked for
    feed(recorder, make_frame(2))
    assert not videos(tmp_path)

    recorder.ask("cam1", 5)
    feed(recorder, make_frame(3))
    facts = recorder.facts()["cameras"]["cam1"]
    recorder.close()

    assert (facts["on"], facts["reason"]) == (True, "request")
    assert 4 < facts["event_seconds"] <= 5
    assert seqs(tmp_path) == [[3]]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"record": 10}, 10.0),
        ({"record": 0.5, "more": 1}, 0.5),
        ({"record": 1e9}, 3600.0),
        ({"record": 10**400}, 3600.0),
        ({"record": True}, None),
        ({"record": 0}, None),
        ({"record": -1}, None),
        ({"record": float("nan")}, None),
        ({"record": "10"}, None),
        ({}, None),
        (None, None),
        ([{"record": 1}], None),
    ],
)
def test_only_a_number_of_seconds_is_a_wish(value: object, expected: float | None) -> None:
    assert event_seconds(value) == expected


def test_results_without_their_frames_are_not_held_for_ever() -> None:
    preroll = Preroll(1.0)
    preroll.limit = 1 << 20
    for n in range(100):
        preroll.hold(Told("cam1", "e", n, float(n), {}, 10))
        preroll.trim(now=float(n))

    assert len(preroll.take()) <= 12
