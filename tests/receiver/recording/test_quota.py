"""The oldest make room, and nothing else does."""

from __future__ import annotations

import fcntl
import time
from pathlib import Path

from receiver.recording.quota import Quota
from receiver.recording.shelf import Shelf
from shared.sidecar import name_of

NOW = 1_790_000_000.0


def put(folder: Path, camera: str, *, ago: float, size: int = 1000) -> str:
    """Lay a recording of `size` bytes down."""
    name = name_of(NOW - ago)
    (folder / camera).mkdir(exist_ok=True)
    (folder / camera / f"{name}.mkv").write_bytes(bytes(size - 100))
    (folder / camera / f"{name}.jsonl").write_bytes(bytes(100))
    return name


def left(folder: Path) -> list[str]:
    return [f"{one.camera}/{one.name}" for one in Shelf(folder).all()]


def quota(folder: Path, *, max_bytes: int | None = None, max_age: float | None = None) -> Quota:
    return Quota(Shelf(folder), max_bytes=max_bytes, max_age=max_age, wall=lambda: NOW)


def test_the_oldest_of_all_cameras_make_room(tmp_path: Path) -> None:
    put(tmp_path, "b", ago=400)
    put(tmp_path, "a", ago=300)
    kept = [put(tmp_path, "b", ago=200), put(tmp_path, "a", ago=100)]

    limited = quota(tmp_path, max_bytes=2500)
    limited.keep()

    assert left(tmp_path) == [f"a/{kept[1]}", f"b/{kept[0]}"]
    assert (limited.bytes, limited.removed, limited.oldest_seconds) == (2000, 2, 200)


def test_what_is_too_old_goes(tmp_path: Path) -> None:
    put(tmp_path, "a", ago=3601)
    kept = put(tmp_path, "a", ago=3599)

    quota(tmp_path, max_age=3600).keep()

    assert left(tmp_path) == [f"a/{kept}"]


def test_without_limits_nothing_goes(tmp_path: Path) -> None:
    put(tmp_path, "a", ago=1e8)

    free = quota(tmp_path)
    free.keep()

    assert not free.make_room()
    assert len(left(tmp_path)) == 1


def test_what_is_being_written_stays(tmp_path: Path) -> None:
    """By this receiver or another one: the lock is the kernel's."""
    written = put(tmp_path, "a", ago=500)
    newer = put(tmp_path, "a", ago=100)
    with (tmp_path / "a" / f"{written}.jsonl").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        limited = quota(tmp_path, max_bytes=1000, max_age=400)
        limited.keep()
        assert left(tmp_path) == [f"a/{written}"], newer

    quota(tmp_path, max_age=400).keep()
    assert left(tmp_path) == []


def test_what_is_no_recording_is_neither_counted_nor_removed(tmp_path: Path) -> None:
    name = put(tmp_path, "a", ago=100)
    strangers = [
        tmp_path / "notes.mkv",
        tmp_path / "a" / "holiday.mkv",
        tmp_path / "a" / "99999999T999999.999Z.mkv",
        tmp_path / "a" / "20260101T000000.000Z.mp4",
        tmp_path / "lost+found",
    ]
    for path in strangers[:-1]:
        path.write_bytes(bytes(5000))
    strangers[-1].mkdir()

    assert left(tmp_path) == [f"a/{name}"]
    limited = quota(tmp_path, max_bytes=1)
    limited.keep()

    assert limited.bytes == 0
    assert all(path.exists() for path in strangers)


def test_what_was_written_counts_before_the_next_look(tmp_path: Path) -> None:
    now = 0.0
    limited = Quota(Shelf(tmp_path), max_bytes=2500, max_age=None, clock=lambda: now)
    limited.keep()
    for ago in (30, 20, 10):
        put(tmp_path, "a", ago=ago)
        limited.wrote(1000)
    limited.keep()
    assert len(left(tmp_path)) == 3  # it looked a moment ago

    now = 1.1
    limited.keep()

    assert len(left(tmp_path)) == 2


def test_a_full_disk_is_given_a_twentieth_back(tmp_path: Path) -> None:
    for ago in range(40):
        put(tmp_path, "a", ago=ago)

    assert quota(tmp_path, max_bytes=10**9).make_room()

    assert len(left(tmp_path)) == 38


def test_a_thousand_recordings_are_looked_through_quickly(tmp_path: Path) -> None:
    for ago in range(1000):
        put(tmp_path, "a", ago=ago, size=100)
    limited = quota(tmp_path, max_bytes=10**9)

    started = time.perf_counter()
    limited.keep()

    assert time.perf_counter() - started < 0.5


def test_a_recording_is_found_by_its_names_and_nothing_else_is(tmp_path: Path) -> None:
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    inside, outside = put(shelf, "cam1", ago=0), put(tmp_path, "other", ago=0)
    (shelf / "cam1" / "secret.mkv").write_bytes(b"")
    (shelf / "cam1" / "secret.jsonl").write_bytes(b"")

    found = Shelf(shelf).find("cam1", inside)
    assert found is not None
    assert (found.camera, found.name, found.bytes) == ("cam1", inside, 1000)
    for camera, name in (
        ("../other", outside),
        ("..", outside),
        ("cam1", "secret"),
        ("cam1", f"../../other/{outside}"),
        ("", inside),
        ("cam1", ""),
    ):
        assert Shelf(shelf).find(camera, name) is None
