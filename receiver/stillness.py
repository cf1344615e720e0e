"""Stillness: whether a camera sends the same picture again and again."""

from __future__ import annotations

import numpy as np

from shared import codec
from shared.errors import FrameError
from shared.frame import EncodedFrame

#: A picture that came so often, over so many seconds, is one that stands still. A sensor's noise
#: alone makes two JPEGs differ, so what repeats to the byte comes from something that hangs.
_FRAMES = 3
_SECONDS = 3.0
#: What an encoder makes of a picture that stands still differs a little from frame to frame, and
#: comes again with each group of pictures: those of so many frames are known again.
_KNOWN = 256
#: By so much, of 255, may a block of 8 × 8 pixels differ in a picture that stands still.
_RIPPLE = 12
#: Looking so often, in seconds, whether pictures that came before look the same is enough.
_LOOK = 0.25
#: Bytes by which, and by their length, two JPEGs seem to be the same.
_TAIL = 32


class Stillness:
    """Compares each frame with those before it. For one thread at a time.

    A frame is of a still picture when its bytes are those of the one before; or when they came
    before, a while ago, and it looks like the picture since which all did so. What repeats itself
    but moves, such as a film in a loop, looks different.

    Most frames cost a look at their last bytes: only those that seem to have come before are read,
    and decoded at an eighth of their size four times a second.
    """

    def __init__(self) -> None:
        self._data = b""
        self._since = self._until = 0.0
        self._frames = 0
        #: Of the newest frames, by length and end: hashes of all their bytes, from the second time
        #: on.
        self._known: dict[tuple[int, bytes], tuple[int, ...]] = {}
        #: The picture since which all look the same, as it came; and when one was last compared.
        self._first = b""
        self._looked = 0.0

    def look(self, frame: EncodedFrame, now: float) -> None:
        """Take note of a frame that came at `now`, monotonic seconds."""
        data = frame.data
        # Pixels in shared memory are not looked at.
        is_same = bool(data) and (
            data == self._data or (self._came_before(data) and self._looks_same(data, now))
        )
        if is_same:
            self._frames += 1
        else:
            self._frames, self._since, self._first, self._looked = 1, now, data, now
        # The newer of two that are equal: the older one's memory is free for others.
        self._data, self._until = data, now

    def __bool__(self) -> bool:
        """Say whether the newest frame is the same as those before it, for long enough."""
        return self._frames >= _FRAMES and self._until - self._since >= _SECONDS

    def _came_before(self, data: bytes) -> bool:
        key = (len(data), data[-_TAIL:])
        hashes = self._known.pop(key, None)
        if hashes is None:
            self._known[key] = ()
            if len(self._known) > _KNOWN:
                del self._known[next(iter(self._known))]
            return False
        number = hash(data)
        self._known[key] = hashes if number in hashes else (*hashes[-7:], number)
        return number in hashes

    def _looks_same(self, data: bytes, now: float) -> bool:
        if now - self._looked < _LOOK:
            return True
        self._looked = now
        try:
            first, last = (codec.decode_reduced(one, 8) for one in (self._first, data))
        except FrameError:  # a PNG, or no picture
            return False
        if first.shape != last.shape:
            return False
        return int(np.abs(first.astype(np.int16) - last).max()) <= _RIPPLE
