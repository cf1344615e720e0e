"""Matroska: one JPEG after the other as an .mkv that any player opens, however it ends.

The form is RFC 9559's. Each picture is on its way to the disk when `write` returns: a cluster's
size is written as unknown and entered when the cluster is over, so that nothing has to be held
back. A file that ends anywhere plays up to there; `close` adds what players seek by.
"""

from __future__ import annotations

import os
import struct
from contextlib import suppress
from pathlib import Path

#: Nanoseconds of a tick: times are milliseconds.
_TICK = 1_000_000
#: A cluster begins with the first picture this many milliseconds after the last one's beginning.
_CLUSTER = 1000
_UNKNOWN = b"\x01" + b"\xff" * 7
_EPOCH_2001 = 978_307_200
#: Bytes that are kept for the table of contents, which gets its last line at the end.
_CONTENTS = 80

_EBML, _SEGMENT, _SEEK_HEAD, _SEEK = 0x1A45DFA3, 0x18538067, 0x114D9B74, 0x4DBB
_INFO, _TRACKS, _CUES, _CLUSTER_ID = 0x1549A966, 0x1654AE6B, 0x1C53BB6B, 0x1F43B675
_DURATION, _VOID, _SIMPLE_BLOCK = 0x4489, 0xEC, 0xA3
#: Of a block: track 1; a key frame, as every JPEG is.
_TRACK, _KEY = b"\x81", b"\x80"


class Matroska:
    """Writes one file. For one thread. What the disk refuses is raised as OSError."""

    def __init__(self, path: Path, *, width: int, height: int, title: str, started: float) -> None:
        """Make the file, which must not be there yet; `started` is Unix seconds."""
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        #: Bytes written.
        self.size = 0
        self._cues: list[tuple[int, int]] = []
        self._cluster_began = -_CLUSTER
        self._cluster_at = -1
        self._last = self._interval = 0
        # Version 1 of EBML, ids to 4 bytes, sizes to 8; version 4 of Matroska, readable since 2.
        versions = [_number(0x4286, 1), _number(0x42F7, 1), _number(0x42F2, 4), _number(0x42F3, 8)]
        kind = [_element(0x4282, b"matroska"), _number(0x4287, 4), _number(0x4285, 2)]
        begin = _element(_EBML, *versions, *kind) + _id(_SEGMENT) + _UNKNOWN
        #: Where the segment's content begins: positions count from here.
        self._base = len(begin)
        facts = [
            _number(0x2AD7B1, _TICK),
            _element(0x4461, struct.pack(">q", int((started - _EPOCH_2001) * 1e9))),
            _element(0x7BA9, title.encode()),
            _element(0x4D80, b"Framepost"),
            _element(0x5741, b"Framepost"),
        ]
        info = _element(_INFO, _void(11), *facts)
        # Track 1, video, without lacing; progressive.
        track = [_number(0xD7, 1), _number(0x73C5, 1), _number(0x83, 1), _number(0x9C, 0)]
        video = [_number(0x9A, 2), _number(0xB0, width), _number(0xBA, height)]
        track += [_element(0x22B59C, b"und"), _element(0x86, b"V_MJPEG"), _element(0xE0, *video)]
        self._info = _CONTENTS
        self._tracks = self._info + len(info)
        # The duration's place is the first in the info, behind its id and its size.
        self._duration_at = self._base + self._info + info.index(_void(11))
        try:
            self._append(begin, self._contents(), info, _element(_TRACKS, _element(0xAE, *track)))
        except OSError:
            os.close(self._fd)
            path.unlink()
            raise

    def write(self, jpeg: bytes, at: int) -> int:
        """Add a picture shown `at` milliseconds, above the last one's; return its offset."""
        behind = at - self._cluster_began
        is_new = behind >= _CLUSTER
        began = at if is_new else self._cluster_began
        lead = b""
        if is_new:
            self._end_cluster()
            lead = _id(_CLUSTER_ID) + _UNKNOWN + _number(0xE7, at)
        block = _TRACK + struct.pack(">h", at - began) + _KEY
        lead += _id(_SIMPLE_BLOCK) + _length(len(block) + len(jpeg)) + block
        place = self.size
        self._append(lead, jpeg)
        if is_new:
            self._cluster_began, self._cluster_at = at, place
            self._cues.append((at, place - self._base))
        self._interval, self._last = at - self._last, at
        return place + len(lead)

    def close(self) -> None:
        """Add the index, the duration and the sizes; what does not go to the disk is left out."""
        with suppress(OSError):
            self._end_cluster()
            if self._cues:
                cues = self.size - self._base
                points = (_cue(at, place) for at, place in self._cues)
                self._append(_element(_CUES, *points))
                os.pwrite(self._fd, self._contents(cues), self._base)
            duration = struct.pack(">d", float(self._last + max(self._interval, 1)))
            os.pwrite(self._fd, _element(_DURATION, duration), self._duration_at)
            self._enter_size(self._base - 8, self.size - self._base)
        with suppress(OSError):  # a file system over a network says only here what it lost
            os.close(self._fd)

    def _end_cluster(self) -> None:
        if self._cluster_at >= 0:
            begin = self._cluster_at + 4
            self._enter_size(begin, self.size - begin - 8)
            self._cluster_at = -1

    def _enter_size(self, place: int, size: int) -> None:
        os.pwrite(self._fd, struct.pack(">Q", 1 << 56 | size), place)

    def _append(self, *parts: bytes) -> None:
        """Write behind what is there; after an OSError the file is as it was before."""
        left = sum(map(len, parts))
        written = 0
        try:
            written = os.pwritev(self._fd, parts, self.size)
            if written < left:  # a disk that is nearly full, most often
                rest = memoryview(b"".join(parts))
                while written < left:
                    written += os.pwrite(self._fd, rest[written:], self.size + written)
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._fd, self.size)
            raise
        self.size += written

    def _contents(self, cues: int | None = None) -> bytes:
        """Return the table of contents; where the index is stands in it once there is one."""
        places = [(_INFO, self._info), (_TRACKS, self._tracks)]
        if cues is not None:
            places.append((_CUES, cues))
        lines = (
            _element(_SEEK, _element(0x53AB, _id(one)), _number(0x53AC, at)) for one, at in places
        )
        head = _element(_SEEK_HEAD, *lines)
        return head + _void(_CONTENTS - len(head))


def _cue(at: int, place: int) -> bytes:
    return _element(0xBB, _number(0xB3, at), _element(0xB7, _number(0xF7, 1), _number(0xF1, place)))


def _element(identity: int, *content: bytes) -> bytes:
    body = b"".join(content)
    return _id(identity) + _length(len(body)) + body


def _number(identity: int, value: int) -> bytes:
    """Return an element that holds an unsigned number, in as few bytes as it needs."""
    return _element(identity, value.to_bytes(max(1, (value.bit_length() + 7) // 8)))


def _void(size: int) -> bytes:
    """Return an element of `size` bytes, 2 to 128, that says nothing."""
    return _element(_VOID, bytes(size - 2))


def _id(identity: int) -> bytes:
    return identity.to_bytes((identity.bit_length() + 7) // 8)


def _length(size: int) -> bytes:
    """Return a variable-size number (RFC 8794, 4): its leading zeros tell how many bytes it has."""
    count = max(1, -(-(size + 1).bit_length() // 7))
    return (1 << 7 * count | size).to_bytes(count)
