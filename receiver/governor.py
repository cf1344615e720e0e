"""Governor: finds how many frames a second of a camera its hook can use."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from receiver.books import Books
from receiver.camera import Camera

logger = logging.getLogger(__name__)

#: What is judged at a time, in seconds.
_PERIOD = 10.0
#: Shares of the frames that are superseded: with more the hook is far too slow for them, with less
#: it is hardly so any more. They are so far apart that twice the frames never lead from one to the
#: other.
_MANY, _FEW = 5 / 6, 1 / 2
#: So many times what the hook processed is asked for: the newest frame is then on average an eighth
#: of the hook's time old when the hook takes it.
_PLENTY = 4
#: Fewer frames a second are never asked for: the newest would be too old.
_LEAST = 1.0


class Governor:
    """Ask a camera's sender for fewer frames while most of them are superseded.

    It asks for four times as many as the hook processed, so that the newest one is fresh whenever
    the hook has time, and for more as soon as the hook has become faster. While anybody watches the
    camera nothing is asked for, because a viewer sees every frame. One thread at a time.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since: float | None = None
        self._before: Books | None = None
        #: Frames a second that came before less was asked for.
        self._full = 0.0
        #: Frames a second to ask for; None for all.
        self.fps: float | None = None

    def look(self, camera: Camera) -> None:
        """Bring `fps` up to date; call it with every frame of the camera, always the same one."""
        if camera.is_watched():
            self._since = None
            self._ask_for(camera, None, "somebody watches it")
            return
        now = self._clock()
        if self._before is None or self._since is None or now - self._since > 3 * _PERIOD:
            self._since, self._before = now, camera.books()
        elif now - self._since >= _PERIOD:
            books = camera.books()
            self._judge(camera, self._before, books, now - self._since)
            self._since, self._before = now, books

    def _judge(self, camera: Camera, before: Books, after: Books, seconds: float) -> None:
        came = (after.received - before.received) / seconds
        done = (after.processed + after.failed - before.processed - before.failed) / seconds
        lost = (after.superseded - before.superseded) / seconds
        # A hook that answers nothing is starting or broken, and its speed is not known.
        if done == 0:
            return
        wished = max(_LEAST, round(_PLENTY * done, 1))
        if lost > _MANY * came and wished < (self.fps or came):
            self._full = self._full if self.fps else came
            why = f"its hook processes {done:.1f} of {came:.1f} frames a second"
            self._ask_for(camera, wished, why)
        elif self.fps is not None and lost < _FEW * came:
            more = 2 * self.fps
            self._ask_for(camera, more if more < self._full else None, "its hook has become faster")

    def _ask_for(self, camera: Camera, fps: float | None, why: str) -> None:
        if fps == self.fps:
            return
        self.fps = fps
        what = "for all frames again" if fps is None else f"for {fps:g} frames a second"
        logger.info("camera %s: %s; asking its sender %s", camera.name, why, what)
