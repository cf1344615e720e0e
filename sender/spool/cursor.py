"""Cursor: up to which record of a spool all is settled. Its file is also the spool's lock."""

from __future__ import annotations

import fcntl
import os
import struct
import zlib
from contextlib import suppress
from pathlib import Path

from shared.errors import FramepostError

_SLOT = struct.Struct(">Q16sI")
_BOOT = Path("/proc/sys/kernel/random/boot_id")


class Locked(FramepostError):
    """Raised when another program uses the spool."""


class Cursor:
    """One number in a file with two places for it, written by turns: a write that a power cut
    tears spoils one of them, and the other is one behind.

    While it is open, nobody else can open it.
    """

    def __init__(self, path: Path) -> None:
        """Open or make it; raise Locked, or OSError."""
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self._fd = os.open(path, flags, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            content = os.pread(self._fd, 2 * _SLOT.size, 0)
        except BlockingIOError:
            os.close(self._fd)
            raise Locked(f"{path} is in use") from None
        except OSError:
            os.close(self._fd)
            raise
        boot = _read_boot()
        places = (_parse(content[at : at + _SLOT.size]) for at in (0, _SLOT.size))
        newest = max((place for place in places if place is not None), default=(0, boot))
        #: The number of the first record that is not settled.
        self.number = newest[0]
        #: Whether the machine was not started anew since that was written: then it is exact, or
        #: one behind; else the disk may have missed more.
        self.is_exact = newest[1] == boot
        self._boot = boot

    def move(self, number: int) -> None:
        """Settle all below `number`; raise OSError, and then it is kept in memory only."""
        self.number = number
        slot = _SLOT.pack(number, self._boot, 0)[:-4]
        slot += struct.pack(">I", zlib.crc32(slot))
        os.pwrite(self._fd, slot, number % 2 * _SLOT.size)

    def sync(self) -> None:
        """Wait until the disk has it; raise OSError."""
        os.fdatasync(self._fd)

    def close(self) -> None:
        with suppress(OSError):
            os.close(self._fd)


def _parse(slot: bytes) -> tuple[int, bytes] | None:
    if len(slot) != _SLOT.size:
        return None
    number, boot, crc = _SLOT.unpack(slot)
    return (number, boot) if zlib.crc32(slot[:-4]) == crc else None


def _read_boot() -> bytes:
    """Return what is another one after each start of the machine; empty where nothing tells."""
    with suppress(OSError, ValueError):
        return bytes.fromhex(_BOOT.read_text().strip().replace("-", ""))[:16].ljust(16, b"\0")
    return bytes(16)
