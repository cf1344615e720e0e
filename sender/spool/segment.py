"""Segment: one file of the spool, records one behind the other, named by the first one's number."""

from __future__ import annotations

import os
import re
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from sender.spool.record import HEAD, MAGIC, Head

_NAME = re.compile(r"([0-9]{20})\.spool", re.ASCII)
#: Bytes that are looked through at a time for where the next record begins.
_CHUNK = 1 << 20


@dataclass(slots=True)
class Segment:
    """What is known of a file. `first` is the first record's number, `end` one above the last's."""

    path: Path
    first: int
    end: int
    bytes: int
    #: Monotonic seconds: when it was begun, and when it was last written to.
    begun: float
    written: float

    @staticmethod
    def name(first: int) -> str:
        return f"{first:020d}.spool"


def find(folder: Path) -> list[tuple[int, Path]]:
    """Return the first number and the path of each segment in `folder`, in order."""
    found = ((_NAME.fullmatch(path.name), path) for path in folder.iterdir())
    return sorted((int(match[1]), path) for match, path in found if match and path.is_file())


class SegmentReader:
    """Reads records in order. Whatever the bytes are, it returns sound records or none.

    A record whose head is sound is passed over by its size; where there is no sound head, the next
    one is looked for.
    """

    def __init__(self, path: Path) -> None:
        """Raise OSError."""
        self.path = path
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._at = 0
        #: Behind the last sound record that was returned or passed over.
        self.sound = 0

    def next(self, begin: int, end: int) -> tuple[int, bytes] | None:
        """Return the number and the body of the next record whose number is in [begin, end).

        None when there is none up to the file's end. Raise OSError.
        """
        size = os.fstat(self._fd).st_size
        while self._at + HEAD <= size:
            head = Head.parse(self._read(self._at, HEAD))
            if head is None or self._at + HEAD + head.size > size:
                self._at = self._find(self._at + 1)
                continue
            is_asked_for = begin <= head.number < end
            body = self._read(self._at + HEAD, head.size) if is_asked_for else b""
            self._at += HEAD + head.size
            is_sound = len(body) == head.size and zlib.crc32(body) == head.crc
            if is_sound or not is_asked_for:
                self.sound = self._at
            if is_sound and is_asked_for:
                return head.number, body
        return None

    def close(self) -> None:
        os.close(self._fd)

    def _find(self, at: int) -> int:
        """Return where, from `at` on, a sound head stands; where none does, the file's end."""
        while chunk := self._read(at, _CHUNK + HEAD - 1):
            place = chunk.find(MAGIC)
            while 0 <= place < _CHUNK:
                if Head.parse(chunk[place : place + HEAD]) is not None:
                    return at + place
                place = chunk.find(MAGIC, place + 1)
            at += min(len(chunk), _CHUNK)
        return at

    def _read(self, at: int, count: int) -> bytes:
        # A large read may come in parts.
        data = os.pread(self._fd, count, at)
        while len(data) < count and (more := os.pread(self._fd, count - len(data), at + len(data))):
            data += more
        return data

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class SegmentWriter:
    """Appends to a new file that only its owner may read. A record is in it whole or not at all."""

    def __init__(self, path: Path) -> None:
        """Raise OSError."""
        self.path = path
        self.size = 0
        self._is_dirty = False
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        self._fd = os.open(path, flags, 0o600)

    def append(self, record: bytes, *, sync: bool = False) -> None:
        """Raise OSError; then nothing of it is left, unless the disk refuses even that.

        `sync`: wait until the disk has it.
        """
        rest = memoryview(record)
        try:
            while rest:
                rest = rest[os.write(self._fd, rest) :]
            if sync:
                os.fdatasync(self._fd)
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._fd, self.size)
            raise
        self.size += len(record)
        self._is_dirty = not sync

    def sync(self) -> None:
        """Wait until the disk has it; raise OSError."""
        if self._is_dirty:
            self._is_dirty = False
            os.fdatasync(self._fd)

    def close(self) -> None:
        with suppress(OSError):
            os.close(self._fd)


def remove(path: Path) -> None:
    """Remove the file, and free its bytes even while a reader has it open; raise OSError."""
    with suppress(FileNotFoundError):
        os.truncate(path, 0)
        path.unlink()


def sync_folder(folder: Path) -> None:
    """Wait until the disk has the names in `folder`; raise OSError."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
