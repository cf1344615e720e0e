"""What is recorded and what is not, by a recorder without a thread."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from receiver.recording.recorder import Recorder
from receiver.region import Region, SharedFrame
from shared import codec
from shared.frame import EncodedFrame
from tests.conftest import MakeFrame
from tests.receiver.recording.conftest import (
    MakeRecorder,
    frame_lines,
    lines,
    pictures,
    result_of,
    videos,
)

START = 1_790_000_000.0


def feed(recorder: Recorder, frames: list[EncodedFrame]) -> None:
    for frame in frames:
        recorder.received(frame)
    recorder.work()


@pytest.fixture
def frames(make_frame: MakeFrame) -> list[EncodedFrame]:
    """Ten a second."""
    return [make_frame(n, captured_at=START + n / 10) for n in range(20)]


def closes(recorder: Recorder, camera: str = "cam1") -> bool:
    tally = recorder.tallies()[camera]
    return tally.taken == tally.recorded + tally.passed + sum(tally.lost.values())


def test_frames_are_kept_as_they_came(
    make_recorder: MakeRecorder, frames: list[EncodedFrame], tmp_path: Path
) -> None:
    recorder = make_recorder()
    feed(recorder, frames)
    recorder.close()

    (path,) = videos(tmp_path)
    assert path.parent.name == "cam1"
    assert pictures(path) == [(n * 100, frame.data) for n, frame in enumerate(frames)]
    told = lines(path.with_suffix("").with_name(f"{path.stem}.jsonl"))
    assert told[0] == {
        "recording": 1, "camera": "cam1", "started": told[0]["started"], "width": 160, "height": 120
    }  # fmt: skip
    assert told[-1] == {"end": {"frames": 20, "seconds": 1.9, "events": 0}}
    assert closes(recorder)


def test_each_line_says_what_its_frame_was_and_where_it_lies(
    make_recorder: MakeRecorder, frames: list[EncodedFrame], tmp_path: Path
) -> None:
    recorder = make_recorder()
    before = time.time()
    feed(recorder, frames)
    recorder.close()

    (path,) = videos(tmp_path)
    data = path.read_bytes()
    found = frame_lines(path.with_name(f"{path.stem}.jsonl"))
    for n, (line, frame) in enumerate(zip(found, frames, strict=True)):
        assert (line["epoch"], line["seq"], line["captured_at"]) == ("e1", n, START + n / 10)
        assert (line["width"], line["height"], line["pts_ms"]) == (160, 120, n * 100)
        assert before - 5 < line["received_at"] <= time.time()
        assert data[line["offset"] : line["offset"] + line["bytes"]] == frame.data


def test_results_stand_beside_their_frames(
    make_recorder: MakeRecorder, frames: list[EncodedFrame], tmp_path: Path
) -> None:
    recorder = make_recorder()
    feed(recorder, frames)
    recorder.finished(result_of(frames[3], {"n": 3}))
    recorder.finished(result_of(frames[4], {"n": 4}, is_ours=False))
    recorder.close()

    (path,) = tmp_path.glob("*/*.jsonl")
    assert [line["result"] for line in lines(path) if "result" in line] == [
        result_of(frames[3], {"n": 3}).facts() | {"timings": lines(path)[-2]["result"]["timings"]}
    ]


@pytest.mark.parametrize(
    "change",
    [{"epoch": "e2", "seq": 0}, {"width": 320, "height": 240}, {"seq": 3}],
    ids=["epoch", "size", "number"],
)
def test_another_stream_begins_another_recording(
    make_recorder: MakeRecorder,
    make_frame: MakeFrame,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: dict[str, object],
) -> None:
    monkeypatch.setattr("receiver.recording.reel._LEAST", 0.0)
    facts = {"seq": 6, "epoch": "" if change == {"seq": 3} else "e1"}
    recorder = make_recorder()
    feed(recorder, [make_frame(5, epoch=str(facts["epoch"]), captured_at=START)])
    recorder.finished(result_of(make_frame(5, epoch=str(facts["epoch"]), captured_at=START), "old"))
    feed(recorder, [make_frame(**(facts | change), captured_at=START + 0.1)])
    recorder.close()

    assert [len(pictures(path)) for path in videos(tmp_path)] == [1, 1]
    assert closes(recorder)


@pytest.mark.parametrize("leap", [-5.0, 400.0], ids=["back", "far ahead"])
def test_a_leap_of_the_cameras_clock_begins_another_recording(
    make_recorder: MakeRecorder,
    make_frame: MakeFrame,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    leap: float,
) -> None:
    monkeypatch.setattr("receiver.recording.reel._LEAST", 0.0)
    recorder = make_recorder()
    feed(recorder, [make_frame(1, captured_at=START), make_frame(2, captured_at=START + leap)])
    recorder.close()

    assert [at for path in videos(tmp_path) for at, _ in pictures(path)] == [0, 0]


def test_times_rise_even_where_the_cameras_clock_does_not(
    make_recorder: MakeRecorder, make_frame: MakeFrame, tmp_path: Path
) -> None:
    recorder = make_recorder()
    times = [0.0, 0.0, -0.5, 0.1]
    feed(recorder, [make_frame(n, captured_at=START + at) for n, at in enumerate(times)])
    recorder.close()

    (path,) = videos(tmp_path)
    assert [at for at, _ in pictures(path)] == [0, 1, 2, 100]


def test_two_senders_under_one_name_do_not_make_a_file_of_each_frame(
    make_recorder: MakeRecorder, make_frame: MakeFrame, tmp_path: Path
) -> None:
    recorder = make_recorder()
    feed(recorder, [make_frame(n, epoch=f"e{n % 2}") for n in range(50)])
    recorder.close()

    assert len(videos(tmp_path)) == 1
    assert recorder.tallies()["cam1"].lost["switched"] == 25
    assert closes(recorder)


def test_a_late_frame_is_counted_and_left_out(
    make_recorder: MakeRecorder, frames: list[EncodedFrame], tmp_path: Path
) -> None:
    recorder = make_recorder()
    feed(recorder, [frames[0], frames[2], frames[1], frames[3]])
    recorder.close()

    assert len(pictures(videos(tmp_path)[0])) == 3
    assert recorder.tallies()["cam1"].lost["late"] == 1
    assert closes(recorder)


def test_a_recording_ends_when_it_is_long_enough(
    make_recorder: MakeRecorder,
    make_frame: MakeFrame,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("receiver.recording.reel._LEAST", 0.0)
    recorder = make_recorder(segment=2.0)
    feed(recorder, [make_frame(n, captured_at=START + n / 10) for n in range(50)])
    recorder.close()

    assert [len(pictures(path)) for path in videos(tmp_path)] == [20, 20, 10]


def test_a_quiet_cameras_recording_ends_too(
    make_recorder: MakeRecorder, make_frame: MakeFrame, tmp_path: Path
) -> None:
    recorder = make_recorder(segment=0.05)
    feed(recorder, [make_frame(1)])
    assert recorder.facts()["cameras"]["cam1"]["on"]
    time.sleep(0.06)
    recorder.work()

    assert not recorder.facts()["cameras"]["cam1"]["on"]
    recorder.close()


def test_a_result_that_comes_after_its_recordings_end_still_finds_it(
    make_recorder: MakeRecorder, make_frame: MakeFrame, tmp_path: Path
) -> None:
    recorder = make_recorder(segment=0.05)
    frame = make_frame(1)
    feed(recorder, [frame])
    time.sleep(0.06)
    recorder.work()
    recorder.finished(result_of(frame, "late"))
    recorder.work()
    (path,) = tmp_path.glob("*/*.jsonl")
    assert "result" in lines(path)[-1]  # a kill would not cost it
    recorder.close()

    assert [next(iter(line)) for line in lines(path)] == ["recording", "frame", "result", "end"]


def test_a_result_that_comes_when_all_is_over_is_counted(
    make_recorder: MakeRecorder, make_frame: MakeFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("receiver.recording.reel._LINGER", 0.0)
    recorder = make_recorder(segment=0.05)
    frame = make_frame(1)
    feed(recorder, [frame])
    time.sleep(0.06)
    recorder.work()
    recorder.finished(result_of(frame, "late"))
    recorder.work()
    recorder.close()

    assert recorder.tallies()["cam1"].results_lost == 1


def test_what_is_no_jpeg_is_made_one_by_the_recorder(
    make_recorder: MakeRecorder, tmp_path: Path
) -> None:
    image = np.full((120, 160, 3), (0, 0, 200), np.uint8)
    png = cv2.imencode(".png", image)[1].tobytes()
    facts = {"camera": "cam1", "epoch": "e", "captured_at": START, "width": 160, "height": 120}
    kinds = [("image/png", png), ("application/x-raw-bgr", image.tobytes())]
    recorder = make_recorder()
    for seq, (kind, data) in enumerate(kinds):
        recorder.received(EncodedFrame(**facts, seq=seq, media_type=kind, data=data))  # type: ignore[arg-type]
    recorder.received(EncodedFrame(**facts, seq=2, media_type="image/png", data=png[:90]))  # type: ignore[arg-type]
    recorder.work()
    recorder.close()

    found = [codec.decode(jpeg) for _, jpeg in pictures(videos(tmp_path)[0])]
    assert len(found) == 2
    assert all(abs(one.astype(int) - image).max() < 8 for one in found)
    assert recorder.tallies()["cam1"].lost["corrupt"] == 1
    assert closes(recorder)


def test_a_picture_in_anothers_memory_is_counted_and_not_touched(
    make_recorder: MakeRecorder, tmp_path: Path
) -> None:
    (tmp_path / "shared").write_bytes(bytes(300))
    with (tmp_path / "shared").open("rb") as file:
        region = Region(file.fileno(), 0, 300)
    recorder = make_recorder()
    recorder.received(
        SharedFrame(
            camera="cam1", epoch="e", seq=1, captured_at=START, data=b"", width=10, height=10,
            media_type="application/x-raw-bgr", region=region,
        )
    )  # fmt: skip
    recorder.work()
    recorder.close()

    assert not videos(tmp_path)
    assert recorder.tallies()["cam1"].lost["shared_memory"] == 1


def test_only_the_cameras_that_are_named_are_recorded(
    make_recorder: MakeRecorder, make_frame: MakeFrame, tmp_path: Path
) -> None:
    recorder = make_recorder(cameras={"door"})
    feed(recorder, [make_frame(1, camera="door"), make_frame(1, camera="yard")])
    recorder.close()

    assert [path.parent.name for path in videos(tmp_path)] == ["door"]
    assert set(recorder.tallies()) == {"door"}


def test_what_waits_for_a_slow_disk_is_bounded_and_the_rest_is_counted(
    make_recorder: MakeRecorder, make_frame: MakeFrame, tmp_path: Path
) -> None:
    frame = make_frame(1)
    size = len(frame.data) + 512
    recorder = make_recorder(queue=10 * size + 100)
    many = [replace(frame, seq=n, captured_at=START + n / 10) for n in range(25)]
    for frame in many:
        recorder.received(frame)
    recorder.finished(result_of(many[0], {"list": list(range(1000))}))

    assert recorder.waiting <= 10 * size + 100
    recorder.work()
    assert recorder.waiting == 0
    recorder.close()
    assert len(pictures(videos(tmp_path)[0])) == 10
    assert recorder.tallies()["cam1"].lost["slow"] == 15
    assert recorder.tallies()["cam1"].results_lost == 1
    assert closes(recorder)


def test_a_frame_never_waits_for_the_disk(
    make_recorder: MakeRecorder, make_frame: MakeFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck, goes_on = threading.Event(), threading.Event()

    def write(*_: object, **__: object) -> None:
        stuck.set()
        goes_on.wait(60)

    monkeypatch.setattr("receiver.recording.reel.Segment.add", write)
    with make_recorder() as recorder:
        recorder.received(make_frame(1))
        assert stuck.wait(30)
        started = time.perf_counter()
        for n in range(100):
            recorder.received(make_frame(2 + n % 2))
            recorder.finished(result_of(make_frame(2)))
            recorder.facts()
        recorder.forgotten("cam1")
        recorder.closed()
        assert time.perf_counter() - started < 5  # it would be ten
        goes_on.set()


def test_a_forgotten_camera_is_closed(
    make_recorder: MakeRecorder, make_frame: MakeFrame, tmp_path: Path
) -> None:
    recorder = make_recorder()
    feed(recorder, [make_frame(1)])
    recorder.forgotten("cam1")
    recorder.work()

    assert recorder.facts()["cameras"] == {}
    assert recorder.tallies() == {}
    (path,) = tmp_path.glob("*/*.jsonl")
    assert "end" in lines(path)[-1]
    recorder.close()


def test_a_thread_writes_by_itself(
    make_recorder: MakeRecorder, make_frame: MakeFrame, tmp_path: Path
) -> None:
    with make_recorder() as recorder:
        frame = make_frame(1)
        recorder.received(frame)
        deadline = time.monotonic() + 30
        while not (paths := list(tmp_path.glob("*/*.jsonl"))) or len(lines(paths[0])) < 2:
            assert time.monotonic() < deadline
            threading.Event().wait(0.01)
    assert recorder.error is None
