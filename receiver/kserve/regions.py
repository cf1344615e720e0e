"""Regions: the pieces of other programs' shared memory that clients have registered."""

from __future__ import annotations

import os
import stat
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from receiver.region import Region
from shared.errors import FrameError

#: Each holds a file open.
MAX_REGIONS = 256
_MAX_NAME = 255
_MAX_NUMBER = 2**63 - 1
_WHERE = Path("/dev/shm")  # noqa: S108  # nothing is made there


@dataclass(frozen=True, slots=True)
class Piece:
    """What a tensor says of its place: `size` bytes at `offset` of the region of that name."""

    region: str
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class _Entry:
    key: str
    offset: int
    size: int
    fd: int
    writable: bool


class Regions:
    """Registered shared memory by name. Any thread.

    Memory is opened once, so it stays what it was when its owner takes its name away. It is read
    and written as a file and never mapped: its owner may cut it short at any moment, and whoever
    touches mapped memory behind the end is killed.
    """

    def __init__(self, *, where: Path = _WHERE) -> None:
        """`where`: the folder that POSIX shared memory lies in."""
        self._where = where
        self._lock = threading.Lock()
        self._entries: dict[str, _Entry] = {}

    def register(self, name: str, content: Any) -> None:
        """Open what `content` (key, offset, byte_size) names; raise FrameError (400)."""
        if not isinstance(content, dict):
            raise _wrong(f"register: expected a JSON object, got {type(content).__name__}")
        _check_name(name)
        file_name = _file_name(content.get("key"))
        offset = whole_number("offset", content.get("offset", 0))
        size = whole_number("byte_size", content.get("byte_size"), least=1)
        with self._lock:
            if name in self._entries:
                raise _wrong(f"shared memory region '{name}' already in manager")
            if len(self._entries) >= MAX_REGIONS:
                raise _wrong(f"register: expected at most {MAX_REGIONS} regions; unregister some")
            fd, writable = _open(self._where / file_name)
            entry = _Entry(str(content["key"]), offset, size, fd, writable)
            try:
                _check_file(name, entry)
            except FrameError:
                os.close(fd)
                raise
            self._entries[name] = entry

    def unregister(self, name: str | None = None) -> None:
        """Forget the region of that name, or all; one that is not there is no error.

        Raise FrameError (400) for what cannot be a name.
        """
        if name is not None:
            _check_name(name)
        with self._lock:
            names = list(self._entries) if name is None else [name]
            gone = [self._entries.pop(each) for each in names if each in self._entries]
        for entry in gone:
            os.close(entry.fd)

    def status(self, name: str | None = None) -> list[dict[str, Any]]:
        """Return what is registered; raise FrameError (400, 404) for an unknown name."""
        if name is not None:
            _check_name(name)
        with self._lock:
            entries = dict(self._entries)
        if name is not None and name not in entries:
            raise _unknown(f"Unable to find system shared memory region: '{name}'")
        return [
            {"name": each, "key": entry.key, "offset": entry.offset, "byte_size": entry.size}
            for each, entry in entries.items()
            if name in (None, each)
        ]

    def open(self, piece: Piece) -> Region:
        """Return that piece, its file kept open; raise FrameError (400, 404)."""
        return self._open(piece, to_write=False)

    def check_writable(self, piece: Piece) -> None:
        """Raise FrameError unless `write` to that piece would work now."""
        self._open(piece, to_write=True).close()

    def write(self, piece: Piece, data: bytes, *, what: str) -> None:
        """Write `data`, called `what` in errors, to the piece's beginning; raise FrameError."""
        if len(data) > piece.size:
            raise _wrong(
                f"{what}: {len(data)} bytes do not fit into the {piece.size} "
                f"of region '{piece.region}' that were given"
            )
        region = self._open(piece, to_write=True)
        at = 0
        while at < len(data):
            at += os.pwrite(region.fileno(), data[at:], region.offset + at)
        region.close()

    def _open(self, piece: Piece, *, to_write: bool) -> Region:
        with self._lock:
            entry = self._entries.get(piece.region)
            if entry is None:
                raise _unknown(f"Unable to find shared memory region: '{piece.region}'")
            if piece.offset + piece.size > entry.size:
                raise _wrong(
                    f"shared_memory_offset + shared_memory_byte_size: expected at most "
                    f"{entry.size}, the size of region '{piece.region}', "
                    f"got {piece.offset} + {piece.size}"
                )
            if to_write and not entry.writable:
                raise _wrong(f"region '{piece.region}': the receiver may not write in {entry.key}")
            _check_file(piece.region, entry)
            return Region(entry.fd, entry.offset + piece.offset, piece.size)


def whole_number(name: str, value: object, *, least: int = 0) -> int:
    """Return `value`; raise FrameError (400) unless it is one from `least` to what 63 bits hold."""
    if type(value) is not int or not least <= value <= _MAX_NUMBER:
        raise _wrong(f"{name}: expected a whole number from {least}, got {str(value)[:80]!r}")
    return value


def _check_name(name: str) -> None:
    if not 1 <= len(name) <= _MAX_NAME:
        raise _wrong(f"name: expected 1 to {_MAX_NAME} characters, got {len(name)}")


def _file_name(key: object) -> str:
    """Return the file that shm_open(3) means by `key`; raise FrameError for what may leave home."""
    name = key.lstrip("/") if isinstance(key, str) else ""
    if name in ("", ".", "..") or "/" in name or not name.isprintable() or len(name) > _MAX_NAME:
        raise _wrong(
            "key: expected the name of shared memory, such as /frames, "
            f"with no further '/' in it, got {str(key)[:80]!r}"
        )
    return name


def _open(path: Path) -> tuple[int, bool]:
    """Return the open file, and whether it can be written; raise FrameError."""
    # No links, and no waiting for a pipe's other end.
    flags = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    writable = True
    try:
        try:
            fd = os.open(path, os.O_RDWR | flags)
        except PermissionError:
            fd = os.open(path, os.O_RDONLY | flags)
            writable = False
    except OSError as exc:
        raise _wrong(
            f"Unable to open shared memory region: '/{path.name}' ({exc.strerror})"
        ) from None
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise _wrong(f"Unable to open shared memory region: '/{path.name}' (no memory)")
    return fd, writable


def _check_file(name: str, entry: _Entry) -> None:
    size = os.fstat(entry.fd).st_size
    if entry.offset + entry.size > size:
        raise _wrong(
            f"region '{name}': expected at least {entry.offset + entry.size} bytes "
            f"in {entry.key}, got {size}"
        )


def _wrong(message: str) -> FrameError:
    return FrameError(message, status=400, reason="region")


def _unknown(message: str) -> FrameError:
    return FrameError(message, status=404, reason="region")
