"""Order: tells a camera's new frames from repeated and late ones."""

from __future__ import annotations

from typing import Literal

from receiver.standstill import Standstill
from shared.frame import EncodedFrame

#: waiting: the same frame came before, and nothing became of it yet.
Outcome = Literal["accepted", "duplicate", "superseded", "waiting"]

#: How far back a repeated frame is recognised, and in how many former epochs.
WINDOW = 1024
_EPOCHS = 8
_ALL = (1 << WINDOW) - 1


class Order:
    """A camera's memory of which frames came. Not thread-safe: its camera's lock guards it."""

    def __init__(self, standstill: Standstill | None = None) -> None:
        """`standstill`: what this process's standing still made old is late."""
        self._standstill = standstill
        #: None before the first.
        self.newest: EncodedFrame | None = None
        #: By epoch, the newest one's last.
        self._numbers: dict[str, _Numbers] = {}
        #: Frames that the senders counted and that did not come, between those that did.
        self.missing = 0

    def knows(self, frame: EncodedFrame) -> bool:
        """Say whether this very frame came before, as far back as is remembered."""
        numbers = self._numbers.get(frame.epoch)
        return numbers is not None and numbers.has(frame.seq) and not self._begins_again(frame)

    def place(self, frame: EncodedFrame) -> Literal["accepted", "superseded"]:
        """Note a frame that is not known: is it new, or did it come too late?"""
        newest = self.newest
        numbers = None if self._begins_again(frame) else self._numbers.get(frame.epoch)
        if newest is None or numbers is None:
            is_late = False
        elif frame.epoch == newest.epoch:
            is_late = frame.seq < newest.seq
        else:
            # A former epoch's frame that was captured before the newest one came too late.
            is_late = frame.captured_at <= newest.captured_at
        if numbers is None:
            numbers = _Numbers(frame.seq)
        self.missing += numbers.add(frame.seq)
        if is_late:
            return "superseded"
        if newest is None or numbers is not self._numbers.get(newest.epoch):
            self._remember(frame.epoch, numbers)
        self.newest = frame
        if self._standstill is not None and self._standstill.made_old(frame):
            return "superseded"
        return "accepted"

    def forget(self, frame: EncodedFrame) -> None:
        """Know `frame` no more: nothing became of it here, and it may come again."""
        numbers = self._numbers.get(frame.epoch)
        if numbers is not None:
            self.missing += numbers.remove(frame.seq)

    def _remember(self, epoch: str, numbers: _Numbers) -> None:
        """Make it the newest epoch's; the one that is longest out of use is forgotten."""
        self._numbers.pop(epoch, None)
        self._numbers[epoch] = numbers
        if len(self._numbers) > 1 + _EPOCHS:
            del self._numbers[next(iter(self._numbers))]

    def _begins_again(self, frame: EncodedFrame) -> bool:
        # Without an epoch only the time can tell a client's restart from a repeated frame.
        newest = self.newest
        if frame.epoch or newest is None or frame.captured_at <= newest.captured_at:
            return False
        return bool(newest.epoch) or frame.seq <= newest.seq


class _Numbers:
    """Which numbers of an epoch came: a bit for each of the last ones, the highest one's lowest."""

    __slots__ = ("_came", "_first", "_top")

    def __init__(self, first: int) -> None:
        self._first = self._top = first
        self._came = 1

    def has(self, seq: int) -> bool:
        back = self._top - seq
        return 0 <= back < WINDOW and bool(self._came >> back & 1)

    def add(self, seq: int) -> int:
        """Note that it came; return by how many more, or less, are missing between those that did.

        Of one that is out of the window nobody can tell any more whether it came before.
        """
        ahead = seq - self._top
        if ahead > 0:
            # Shifted no further than the window is wide: a number may be anything up to 2**63.
            self._came = (self._came << min(ahead, WINDOW) | 1) & _ALL
            self._top = seq
            return ahead - 1
        if -ahead >= WINDOW or self.has(seq):
            return 0
        self._came |= 1 << -ahead
        before_first = self._first - seq
        if before_first > 0:
            self._first = seq
            return before_first - 1
        return -1

    def remove(self, seq: int) -> int:
        """Take it back; return by how many more are missing."""
        if not self.has(seq):
            return 0
        self._came ^= 1 << (self._top - seq)
        return 1


def is_before(frame: EncodedFrame, other: EncodedFrame) -> bool:
    """Tell whether `frame` was captured before `other`, of the same camera."""
    # Without an epoch the numbers may have started again.
    if frame.epoch and frame.epoch == other.epoch:
        return frame.seq < other.seq
    return frame.arrived < other.arrived


def is_same(frame: EncodedFrame, other: EncodedFrame) -> bool:
    """Tell whether both are one frame of the same camera that came twice."""
    # Without an epoch another frame may have had the number before.
    is_sure = bool(frame.epoch) or frame.captured_at == other.captured_at
    return frame.seq == other.seq and frame.epoch == other.epoch and is_sure
