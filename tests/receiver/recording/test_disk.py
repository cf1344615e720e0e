"""A disk that refuses: said once, counted, and gone on with when it takes again."""

from __future__ import annotations

import errno
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from receiver.recording.matroska import Matroska
from receiver.recording.recorder import Recorder
from tests.conftest import MakeFrame
from tests.receiver.recording.conftest import (
    MakeRecorder,
    frame_lines,
    lines,
    pictures,
    videos,
)


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Return a switch: writing of pictures fails as on a full disk, after half of one."""
    pwritev = os.pwritev
    state = {"full": False}

    def write(fd: int, parts: tuple[bytes, ...], offset: int) -> int:
        if not state["full"]:
            return pwritev(fd, parts, offset)
        os.pwrite(fd, b"".join(parts)[:50], offset)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwritev", write)
    monkeypatch.setattr("receiver.recording.disk._PAUSE", 0.05)
    return lambda now: state.update(full=now)


def feed(recorder: Recorder, make_frame: MakeFrame, *seqs: int) -> None:
    for seq in seqs:
        recorder.received(make_frame(seq))
    recorder.work()


def test_a_full_disk_costs_the_frames_that_come_meanwhile_and_no_others(
    make_recorder: MakeRecorder,
    make_frame: MakeFrame,
    tmp_path: Path,
    full: Callable[[bool], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    recorder = make_recorder()
    feed(recorder, make_frame, 0, 1, 2)
    full(True)
    for seq in range(3, 10):
        feed(recorder, make_frame, seq)
        time.sleep(0.02)
    problem = recorder.problem
    full(False)
    time.sleep(0.1)
    feed(recorder, make_frame, 10, 11)
    assert recorder.problem is None
    recorder.close()

    logs = sorted(tmp_path.glob("*/*.jsonl"))
    assert [[one["seq"] for one in frame_lines(log)] for log in logs] == [[0, 1, 2], [10, 11]]
    assert [len(pictures(path)) for path in videos(tmp_path)] == [3, 2]
    assert ["end" in lines(log)[-1] for log in logs] == [False, True]
    tally = recorder.tallies()["cam1"]
    assert (tally.taken, tally.recorded, tally.lost["disk"]) == (12, 5, 7)
    assert problem == (
        "recording: cam1 cannot be written (No space left on device); "
        "its frames are lost until that works again"
    )
    assert [record.message for record in caplog.records] == [problem]


def test_a_full_disk_is_given_room_by_the_oldest_where_there_is_a_limit(
    make_recorder: MakeRecorder, make_frame: MakeFrame, tmp_path: Path, full: Callable[[bool], None]
) -> None:
    old = make_recorder()
    feed(old, make_frame, 0)
    old.close()
    recorder = make_recorder(max_bytes=10**9)
    full(True)
    feed(recorder, make_frame, 1)
    full(False)
    recorder.close()

    assert not videos(tmp_path)


def test_a_full_disk_costs_no_recording_where_there_is_no_limit(
    make_recorder: MakeRecorder, make_frame: MakeFrame, tmp_path: Path, full: Callable[[bool], None]
) -> None:
    old = make_recorder()
    feed(old, make_frame, 0)
    old.close()
    recorder = make_recorder()
    full(True)
    feed(recorder, make_frame, 1)
    recorder.close()

    assert len(videos(tmp_path)) == 1


def test_one_cameras_folder_that_is_refused_harms_no_other(
    make_recorder: MakeRecorder, make_frame: MakeFrame, tmp_path: Path
) -> None:
    (tmp_path / "bad").write_text("a file where a folder should be")
    recorder = make_recorder()
    for camera in ("bad", "good"):
        recorder.received(make_frame(1, camera=camera))
    recorder.work()
    recorder.close()

    assert [path.parent.name for path in videos(tmp_path)] == ["good"]
    assert recorder.tallies()["bad"].lost["disk"] == 1
    assert "bad cannot be written" in str(recorder.problem)


def test_a_folder_that_vanished_is_waited_for(
    make_recorder: MakeRecorder,
    make_frame: MakeFrame,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("receiver.recording.disk._PAUSE", 0.0)
    recorder = make_recorder()
    tmp_path.rename(tmp_path.with_name("away"))
    feed(recorder, make_frame, 1)
    assert recorder.tallies()["cam1"].lost["disk"] == 1
    tmp_path.with_name("away").rename(tmp_path)
    feed(recorder, make_frame, 2)
    recorder.close()

    assert len(videos(tmp_path)) == 1


def test_lines_that_the_disk_refuses_are_lost_frames(
    make_recorder: MakeRecorder,
    make_frame: MakeFrame,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recorder = make_recorder()
    feed(recorder, make_frame, 0, 1)
    pwrite = os.pwrite

    def refuse(fd: int, data: bytes, offset: int) -> int:
        if data.startswith(b'{"frame"'):
            raise OSError(errno.EIO, "Input/output error")
        return pwrite(fd, data, offset)

    monkeypatch.setattr(os, "pwrite", refuse)
    feed(recorder, make_frame, 2, 3)
    recorder.close()

    tally = recorder.tallies()["cam1"]
    assert (tally.taken, tally.recorded, tally.lost["disk"]) == (4, 2, 2)
    (path,) = tmp_path.glob("*/*.jsonl")
    assert len(frame_lines(path)) == 2


def test_a_disk_that_has_become_read_only_ends_nothing_but_the_recording(
    make_recorder: MakeRecorder, make_frame: MakeFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("receiver.recording.disk._PAUSE", 0.0)
    recorder = make_recorder()
    recorder.received(make_frame(0))
    with monkeypatch.context() as broken:
        for name in ("pwrite", "unlink", "ftruncate", "close"):
            broken.setattr(os, name, refusing(getattr(os, name)))
        broken.setattr(Path, "unlink", refusing(Path.unlink))
        recorder.work()
        feed(recorder, make_frame, 1)
    assert "Read-only file system" in str(recorder.problem)

    feed(recorder, make_frame, 2)
    recorder.close()

    tally = recorder.tallies()["cam1"]
    assert (tally.taken, tally.recorded, tally.lost["disk"]) == (3, 1, 2)


def test_a_disk_that_refuses_only_at_the_end_of_a_file_ends_nothing(
    make_recorder: MakeRecorder, make_frame: MakeFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = make_recorder()
    feed(recorder, make_frame, 0)
    with monkeypatch.context() as broken:
        broken.setattr(os, "close", refusing(os.close))
        recorder.close()

    assert recorder.tallies()["cam1"].recorded == 1


def refusing(call: Callable[..., Any]) -> Callable[..., Any]:
    """Return `call` as it is where the disk broke: closing does close, and says so."""

    def refuse(*args: Any, **options: Any) -> Any:
        if call.__name__ == "close":
            call(*args)
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    return refuse


def test_a_video_that_cannot_be_begun_leaves_nothing_behind(
    tmp_path: Path, full: Callable[[bool], None]
) -> None:
    full(True)
    with pytest.raises(OSError, match="No space"):
        Matroska(tmp_path / "a.mkv", width=1, height=1, title="", started=0.0)

    assert not list(tmp_path.iterdir())
