"""Thinner: lets so many frames a second through, evenly."""

from __future__ import annotations


class Thinner:
    """Decide frame by frame; over any time t at most fps × t + 2 pass, and no schedule drifts.
    `fps` may change between two frames.

    Time earns credit and a frame costs one. Two may be saved up, so that a camera that runs at
    `fps` itself loses nothing to the jitter of its frames.
    """

    _MOST = 2.0

    def __init__(self, fps: float | None) -> None:
        """`fps` None lets all pass."""
        self.fps = fps
        self._credit = self._MOST
        self._last: float | None = None

    def wants(self, at: float) -> bool:
        """Say whether the frame that came at `at` (monotonic seconds) passes."""
        if self.fps is None:
            return True
        if self._last is not None:
            self._credit = min(self._MOST, self._credit + (at - self._last) * self.fps)
        self._last = at
        # Sums of floats: after `seconds_left` it may be a hair less than 1.
        if self._credit < 1 - 1e-6:
            return False
        self._credit -= 1
        return True

    def seconds_left(self) -> float:
        """Return the seconds until a frame would pass, as of the last one that was asked about."""
        return 0.0 if self.fps is None else max(0.0, 1 - self._credit) / self.fps
