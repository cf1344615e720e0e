"""Frames that need no codec, a spool that can be killed, and a disk that refuses."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from sender.spool.spool import Spool
from sender.spool.stored import Stored
from shared.frame import EncodedFrame


class Clock:
    """Monotonic seconds, as a test sets them."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def frame(
    seq: int, *, epoch: str = "e1", size: int = 100, captured_at: float = 1e9
) -> EncodedFrame:
    """Return a frame whose bytes say which one it is."""
    return EncodedFrame(
        camera="cam1",
        epoch=epoch,
        seq=seq,
        captured_at=captured_at,
        data=f"{epoch} {seq} ".encode().ljust(size, b"."),
        width=64,
        height=48,
    )


def open_spool(folder: Path, **options: Any) -> Spool:
    return Spool(folder, "cam1", **({"max_bytes": 10_000_000} | options))


def kill(spool: Spool) -> None:
    """Leave the folder as a killed process does: what was written is there, and that is all."""
    spool._cursor.close()
    spool._pen.drop()
    spool._reader.close()


def take(spool: Spool) -> Stored:
    stored = spool.next(0)
    assert stored is not None
    return stored


def drain(spool: Spool) -> list[int]:
    """Settle all that waits; return the seqs in their order."""
    seqs = []
    while spool.stock().waiting:
        stored = spool.next(0)
        if stored is not None:
            assert stored.frame.data.startswith(
                f"{stored.frame.epoch} {stored.frame.seq} ".encode()
            )
            seqs.append(stored.frame.seq)
            spool.settle(stored)
    return seqs


@contextmanager
def refusing(monkeypatch: pytest.MonkeyPatch, code: int = errno.EIO) -> Iterator[None]:
    """Let the disk take the first half of what is written, then refuse."""
    write = os.write

    def refuse(fd: int, data: bytes) -> int:
        if len(data) < 50:
            raise OSError(code, os.strerror(code))
        return write(fd, data[: len(data) // 2])

    with monkeypatch.context() as patched:
        patched.setattr("sender.spool.segment.os.write", refuse)
        yield


class Notes:
    """A stopwatch, the traces and the trace of every frame."""

    #: Of the request that a frame is posted with.
    post = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    def __init__(self) -> None:
        self.posts: list[tuple[str, float, int]] = []
        self.ends: list[tuple[str, str, tuple[float, float]]] = []

    def posted(self, camera: str, seconds: float, size: int) -> None:
        self.posts.append((camera, seconds, size))

    def begin(self, *, encode_started: float, encoded: float) -> Any:
        return self

    def end(self, frame: EncodedFrame, outcome: str, *, posting: tuple[float, float]) -> None:
        self.ends.append((f"{frame.camera} {frame.seq}", outcome, posting))


def files_open(path: Path) -> list[int]:
    """Return the descriptors of this process that lead to `path`."""
    found = []
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            if entry.readlink() == path:
                found.append(int(entry.name))
    return found
