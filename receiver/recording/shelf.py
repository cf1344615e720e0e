"""Shelf: the recordings that lie in a folder, whoever wrote them and whether they were finished."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from receiver.recording.segment import files_of
from shared.frame import CAMERA_NAME
from shared.sidecar import Sidecar, read_name

_SUFFIXES = (".mkv", ".jsonl")


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording on disk; `bytes` are those of both its files."""

    camera: str
    name: str
    #: Unix seconds, as the name says them.
    started: float
    mkv: Path
    jsonl: Path
    bytes: int

    @property
    def sidecar(self) -> Sidecar:
        """What is said of its frames."""
        return Sidecar(self.jsonl, self.camera, self.started)

    def is_written(self) -> bool:
        """Tell whether a receiver, this or another one, is writing it now."""
        try:
            fd = os.open(self.jsonl, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False  # a file system without locks
        finally:
            os.close(fd)
        return False


class Shelf:
    """The folder of all cameras' recordings. Any thread; nothing is kept between two calls.

    What is no recording of ours is neither listed nor counted nor removed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def all(self, camera: str | None = None) -> list[Recording]:
        """Return the recordings, of all cameras or of one, the newest first."""
        cameras = self._cameras() if camera is None else [camera]
        found = [one for each in cameras for one in self._of(each)]
        return sorted(found, key=lambda one: (one.name, one.camera), reverse=True)

    def find(self, camera: str, name: str) -> Recording | None:
        """Return one recording, None where there is none or these cannot be its names."""
        started = read_name(name)
        if started is None or not CAMERA_NAME.fullmatch(camera):
            return None
        mkv, jsonl = files_of(self.folder / camera, name)
        try:
            size = mkv.stat().st_size + jsonl.stat().st_size
        except OSError:
            return None
        return Recording(camera, name, started, mkv, jsonl, size)

    def remove(self, recording: Recording) -> None:
        """Remove both files; whoever reads them goes on. Raise OSError where that is refused."""
        recording.mkv.unlink(missing_ok=True)
        recording.jsonl.unlink(missing_ok=True)

    def free(self) -> int:
        """Return the bytes that the disk has left for us; 0 where it cannot say."""
        try:
            disk = os.statvfs(self.folder)
        except OSError:
            return 0
        return disk.f_bavail * disk.f_frsize

    def _cameras(self) -> list[str]:
        with suppress(OSError):
            return [name for name in os.listdir(self.folder) if CAMERA_NAME.fullmatch(name)]
        return []

    def _of(self, camera: str) -> Iterator[Recording]:
        sizes: dict[str, int] = {}
        folder = self.folder / camera
        with suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                name, suffix = os.path.splitext(entry.name)
                if suffix in _SUFFIXES:
                    with suppress(OSError):  # removed meanwhile
                        sizes[name] = sizes.get(name, 0) + entry.stat().st_size
        for name, size in sizes.items():
            started = read_name(name)
            if started is not None:
                yield Recording(camera, name, started, *files_of(folder, name), size)
