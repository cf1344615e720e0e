"""Order: tells a camera's new frames from repeated and late ones."""

from __future__ import annotations

from collections import deque
from typing import Literal

from shared.frame import EncodedFrame

Outcome = Literal["accepted", "duplicate", "superseded"]

#: How far back a repeated frame is recognised, and how many former epochs are remembered.
_SEQ_WINDOW = 1024
_EPOCHS = 8


class Order:
    """A camera's memory of which frames came. Not thread-safe: its camera's lock guards it."""

    def __init__(self) -> None:
        #: None before the first.
        self.newest: EncodedFrame | None = None
        self._window: set[int] = set()
        self._former: deque[str] = deque(maxlen=_EPOCHS)

    def place(self, frame: EncodedFrame) -> Outcome:
        """Note `frame` and say whether it is new, repeated, or too late for a newer one came."""
        newest = self.newest
        if newest is None or frame.epoch != newest.epoch:
            if newest is not None:
                # A former epoch's frame that was captured before the newest one came too late.
                if frame.epoch in self._former and frame.captured_at <= newest.captured_at:
                    return "superseded"
                self._former.append(newest.epoch)
            self.newest = frame
            self._window = {frame.seq}
            return "accepted"
        if not frame.epoch and frame.seq <= newest.seq and frame.captured_at > newest.captured_at:
            # Without an epoch only the time can tell a client's restart from a repeated frame.
            self.newest = frame
            self._window = {frame.seq}
            return "accepted"
        if frame.seq in self._window:
            return "duplicate"
        if frame.seq <= newest.seq - _SEQ_WINDOW:
            return "superseded"
        self._window.add(frame.seq)
        if frame.seq < newest.seq:
            return "superseded"
        self.newest = frame
        if len(self._window) > 2 * _SEQ_WINDOW:
            self._window = {seq for seq in self._window if seq > frame.seq - _SEQ_WINDOW}
        return "accepted"


def is_before(frame: EncodedFrame, other: EncodedFrame) -> bool:
    """Tell whether `frame` was captured before `other`, of the same camera."""
    # Without an epoch the numbers may have started again.
    if frame.epoch and frame.epoch == other.epoch:
        return frame.seq < other.seq
    return frame.arrived < other.arrived
