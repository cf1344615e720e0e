"""Assembly: makes frames of datagrams, the newest first, in bounded memory."""

from __future__ import annotations

import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from typing import Literal

from receiver.listeners.partial_frame import PartialFrame, Place
from shared.datagram import Head, ahead
from shared.datagram_body import Body, unpack
from shared.errors import FrameError

#: late: of a frame that a newer one replaced, or that was given up.
Datagram = Place | Literal["late"]
#: incomplete: pieces were missing when a newer frame was there, or nothing came any more ·
#: damaged: joined, and not what was sent · crowded: given up for want of room.
Loss = Literal["incomplete", "damaged", "crowded"]

#: So many frames of a stream may be begun; pieces of more than two are mixed only by a bad line.
_MOST_BEGUN = 3
#: So many frames that were given up are remembered, for their pieces may still come.
_MOST_GIVEN_UP = 16
#: Streams of which no frame was taken yet: noise is never more, and drives out no camera.
_MOST_STRANGERS = 16
#: The others: an epoch of a camera each, and there are only so many cameras.
_MOST_STREAMS = 1024
#: Seconds without a piece: a frame is given up, a stream is forgotten.
_QUIET, _GONE = 2.0, 10.0
_SWEEP = 0.5


class _Stream:
    """`newest` is the number of the newest whole frame; of it and older ones nothing is wanted."""

    __slots__ = ("begun", "given_up", "heard", "newest", "pieces")

    def __init__(self, now: float) -> None:
        self.newest: int | None = None
        self.begun: dict[int, PartialFrame] = {}
        self.given_up: deque[int] = deque(maxlen=_MOST_GIVEN_UP)
        self.heard = now
        self.pieces = 0


class Whole:
    """A frame that came whole. `taken` is called once somebody took it for a camera's."""

    def __init__(self, body: Body, taken: Callable[[], None]) -> None:
        self.body = body
        self.taken = taken


#: Whose key sealed its datagrams, and which stream.
_Name = tuple[bytes, int]


class Assembly:
    """Every stream holds a few frames that are begun; all of them hold at most `max_held` bytes.

    A stream has to bring one frame that is taken; until then it is a stranger, of whom there are
    few, and who make room first. For one thread.
    """

    def __init__(
        self,
        *,
        max_held: int,
        max_streams: int = _MOST_STREAMS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """A frame, and its parity besides, must fit into `max_held`."""
        self._max_held = max_held
        self._max_streams = max_streams
        self._clock = clock
        #: Whoever was heard last stands last.
        self._strangers: OrderedDict[_Name, _Stream] = OrderedDict()
        self._known: OrderedDict[_Name, _Stream] = OrderedDict()
        self._swept = clock()
        self.held = 0
        self.datagrams: Counter[Datagram] = Counter()
        self.losses: Counter[Loss] = Counter()
        self.repaired = 0

    def put(self, head: Head, payload: bytes, *, key: bytes = b"") -> Whole | None:
        """Take a piece; return the frame that is whole with it. `key` sealed the datagram."""
        now = self._clock()
        name = (key, head.stream)
        stream = self._find(name, now)
        lead = 1 if stream.newest is None else ahead(head.seq, stream.newest)
        if lead <= 0 or head.seq in stream.given_up:
            self.datagrams["late" if lead else "spare"] += 1
            return None
        frame = stream.begun.get(head.seq)
        if frame is None:
            while len(stream.begun) >= _MOST_BEGUN:
                self._drop(stream, next(iter(stream.begun)), "incomplete")
            frame = stream.begun[head.seq] = PartialFrame(head.cut, now)
        before = frame.held
        self.datagrams[frame.put(head, payload, now)] += 1
        self.held += frame.held - before
        if frame.is_whole:
            return self._finish(name, stream, head)
        while self.held > self._max_held:
            self._make_room(frame)
        return None

    def sweep(self) -> None:
        """Give up what nothing comes for any more; call it about every second."""
        now = self._clock()
        if now - self._swept < _SWEEP:
            return
        self._swept = now
        for streams in (self._strangers, self._known):
            for name, stream in list(streams.items()):
                for seq, frame in list(stream.begun.items()):
                    if now - frame.heard > _QUIET:
                        self._drop(stream, seq, "incomplete")
                if now - stream.heard > _GONE:
                    del streams[name]

    def _find(self, name: _Name, now: float) -> _Stream:
        known = self._known.get(name)
        stream = known or self._strangers.get(name)
        if stream is None:
            stream = self._strangers[name] = _Stream(now)
            if len(self._strangers) > _MOST_STRANGERS:
                self._forget(self._strangers, self._poorest())
        else:
            (self._strangers if known is None else self._known).move_to_end(name)
        stream.heard = now
        stream.pieces += 1
        return stream

    def _finish(self, name: _Name, stream: _Stream, head: Head) -> Whole | None:
        frame = stream.begun.pop(head.seq)
        self.held -= frame.held
        self.repaired += frame.repaired
        try:
            body = unpack(frame.join(), stream=head.stream, seq=head.seq)
        except FrameError:
            self.losses["damaged"] += 1
            return None
        stream.newest = head.seq
        for seq in [seq for seq in stream.begun if ahead(seq, head.seq) < 0]:
            self._drop(stream, seq, "incomplete")
        return Whole(body, lambda: self._know(name, stream))

    def _know(self, name: _Name, stream: _Stream) -> None:
        if self._strangers.pop(name, None) is not None:
            self._known[name] = stream
            if len(self._known) > self._max_streams:
                self._forget(self._known, next(iter(self._known)))

    def _poorest(self) -> _Name:
        """Return the stranger who brought least, of those the one who was silent for longest.

        So also a camera that begins while there is noise gets its first frame in.
        """
        others = list(self._strangers)[:-1]  # the last has only come
        return min(others, key=lambda name: self._strangers[name].pieces)

    def _forget(self, streams: OrderedDict[_Name, _Stream], name: _Name) -> None:
        stream = streams.pop(name)
        for seq in list(stream.begun):
            self._drop(stream, seq, "crowded")

    def _make_room(self, but: PartialFrame) -> None:
        """Give up the frame that was begun first, a stranger's before all others; not `but`."""
        for streams in (self._strangers, self._known):
            begun = [
                (frame.begun, seq, stream)
                for stream in streams.values()
                for seq, frame in stream.begun.items()
                if frame is not but
            ]
            if begun:
                _, seq, stream = min(begun, key=lambda each: each[0])
                self._drop(stream, seq, "crowded")
                return
        raise AssertionError("a frame is larger than all that may be held")

    def _drop(self, stream: _Stream, seq: int, loss: Loss) -> None:
        self.held -= stream.begun.pop(seq).held
        stream.given_up.append(seq)
        self.losses[loss] += 1
