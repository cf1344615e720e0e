"""Inbox: cuts what comes on an RTSP connection into packets (RFC 2326, 10.12) and messages."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import replace
from typing import NamedTuple

from sender.rtsp.message import (
    MAX_BODY_BYTES,
    MAX_HEAD_BYTES,
    METHODS,
    Garbled,
    Reply,
    Request,
    read_head,
)

#: Bytes between two packets that are neither, before the connection is given up.
MAX_GARBAGE_BYTES = 64 << 10

_DOLLAR = 0x24
_SIZE = 256 << 10
#: No packet and no message is longer.
_LONGEST = max(4 + 0xFFFF, MAX_HEAD_BYTES + MAX_BODY_BYTES)
_HEAD_END = re.compile(rb"\r?\n\r?\n")
#: A web server's reply is read too, for the sake of the sentence that says so.
_STARTS = (b"RTSP/", b"HTTP/", *(f"{method} ".encode() for method in METHODS))
_LONGEST_START = max(map(len, _STARTS))


class Packet(NamedTuple):
    """RTP or RTCP as it came."""

    channel: int
    data: bytes
    #: Monotonic seconds: when its last byte had been read.
    arrived: float


#: Garbled is the last: behind it there is nothing to go on with.
Item = Packet | Reply | Request | Garbled


class Inbox:
    """Bytes go in through `room` and `take`, in whatever pieces; `items` come out, in order.

    All is in one buffer of fixed size, and a packet is copied once. For one thread.
    """

    def __init__(self) -> None:
        self.items: deque[Item] = deque()
        self._buffer = bytearray(_SIZE)
        self._view = memoryview(self._buffer)
        self._start = self._end = 0
        self._channels: frozenset[int] = frozenset()
        self._landmark = _landmark(self._channels)
        #: How far the end of the head that has begun was looked for.
        self._searched = 0
        #: The message whose body is to come.
        self._head: Reply | Request | None = None
        self._garbage = 0

    def listen_to(self, channels: tuple[int, int]) -> None:
        """Keep the packets of these channels; the others are left out."""
        self._channels = frozenset(channels)
        self._landmark = _landmark(self._channels)

    def room(self) -> memoryview:
        """Return where the next bytes go: never empty."""
        if self._start == self._end:
            self._start = self._end = self._searched = 0
        elif _SIZE - self._end < _LONGEST:
            held = self._end - self._start
            self._view[:held] = self._view[self._start : self._end]
            self._searched -= self._start
            self._start, self._end = 0, held
        return self._view[self._end :]

    def take(self, count: int, arrived: float) -> None:
        """Cut what is complete now that `count` bytes came."""
        self._end += count
        try:
            self._cut(arrived)
        except Garbled as exc:
            self.items.append(exc)
            self._start = self._end

    def _cut(self, arrived: float) -> None:
        while self._head is not None or self._start < self._end:
            if self._head is not None:
                is_cut = self._cut_body(self._head)
            elif self._garbage:
                is_cut = self._find_landmark()
            elif self._buffer[self._start] == _DOLLAR:
                self._cut_packets(arrived)
                is_cut = self._start < self._end and self._buffer[self._start] != _DOLLAR
            else:
                is_cut = self._cut_head()
            if not is_cut:
                return

    def _cut_packets(self, arrived: float) -> None:
        """Cut all packets that follow one another: most of the stream, in one loop."""
        buffer, view, at, end = self._buffer, self._view, self._start, self._end
        channels, put = self._channels, self.items.append
        while end - at >= 4 and buffer[at] == _DOLLAR:
            after = at + 4 + (buffer[at + 2] << 8 | buffer[at + 3])
            if after > end:
                break
            if (channel := buffer[at + 1]) in channels:
                put(Packet(channel, bytes(view[at + 4 : after]), arrived))
            at = after
        self._start = at

    def _cut_head(self) -> bool:
        """Cut a message's head, or an empty line before one; False when more has to come."""
        buffer, start, end = self._buffer, self._start, self._end
        if buffer[start] in b"\r\n":
            self._start += 1
            return True
        begin = bytes(self._view[start : min(end, start + _LONGEST_START)])
        if not any(begin.startswith(known) for known in _STARTS):
            if any(known.startswith(begin) for known in _STARTS):
                return False
            self._skip(1)
            return True
        found = _HEAD_END.search(buffer, max(start, self._searched - 3), end)
        # Without its end it may have all of that but the last byte.
        if (found.start() if found else end - 3) - start > MAX_HEAD_BYTES:
            raise Garbled(f"expected at most {MAX_HEAD_BYTES} bytes of headers")
        if found is None:
            self._searched = end
            return False
        self._head = read_head(bytes(self._view[start : found.start()]))
        self._start = found.end()
        return True

    def _cut_body(self, head: Reply | Request) -> bool:
        end = self._start + head.body_length
        if end > self._end:
            return False
        self.items.append(replace(head, body=bytes(self._view[self._start : end])))
        self._start = end
        self._head = None
        return True

    def _find_landmark(self) -> bool:
        """Go on behind garbage, where a packet of ours or a reply plainly begins."""
        found = self._landmark.search(self._buffer, self._start, self._end)
        if found is not None:
            self._skip(found.start() - self._start)
            self._garbage = 0
            return True
        # What is shorter than the longest landmark may be the beginning of one.
        self._skip(max(0, self._end - self._start - len(b"RTSP/1.") + 1))
        return False

    def _skip(self, count: int) -> None:
        self._start += count
        self._garbage += count
        if self._garbage > MAX_GARBAGE_BYTES:
            raise Garbled(f"{MAX_GARBAGE_BYTES} bytes came that are no RTSP and no RTP")


def _landmark(channels: frozenset[int]) -> re.Pattern[bytes]:
    """Match `$`, one of the channels, eight bytes or more, and RTP's version; or a reply."""
    packet = rb"\$[%s](?:\x00[\x08-\xff]|[\x01-\xff][\x00-\xff])[\x80-\xbf]"
    named = b"".join(b"\\x%02x" % channel for channel in sorted(channels))
    return re.compile((packet % named + rb"|" if channels else b"") + rb"RTSP/1\.", re.DOTALL)
