"""Stillness: whether a camera sends the same picture again and again."""

from __future__ import annotations

from shared.frame import EncodedFrame

#: A picture that came so often, over so many seconds, is one that stands still. A sensor's noise
#: alone makes two JPEGs differ, so what repeats to the byte comes from something that hangs.
_FRAMES = 3
_SECONDS = 3.0


class Stillness:
    """Compares each frame with the one before. For one thread at a time.

    Bytes of another length differ at once, those of equal length up to their first difference; so
    it is as good as free but for pictures that are the same, of which all bytes are read.
    """

    def __init__(self) -> None:
        self._data = b""
        self._since = self._until = 0.0
        self._frames = 0

    def look(self, frame: EncodedFrame, now: float) -> None:
        """Take note of a frame that came at `now`, monotonic seconds."""
        # Pixels in shared memory are not looked at.
        if frame.data and frame.data == self._data:
            self._frames += 1
        else:
            self._frames, self._since = 1, now
        # The newer of two that are equal: the older one's memory is free for others.
        self._data, self._until = frame.data, now

    def __bool__(self) -> bool:
        """Say whether the newest frame is the same as those before it, for long enough."""
        return self._frames >= _FRAMES and self._until - self._since >= _SECONDS
