"""Tile: one camera in one view, as one wall shows it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from receiver.camera import Camera
from receiver.region import SharedFrame
from receiver.result import Result
from receiver.view.records import picture
from receiver.view.turns import Turns
from shared.errors import FrameError
from shared.frame import EncodedFrame
from shared.view.query import Query
from shared.view.renditions import Renditions
from shared.view.viewer import Pace

logger = logging.getLogger(__name__)


class Tile:
    """A part of a wall. It holds no picture: at its turn it takes the camera's newest.

    Annotated pictures come with the result of their very frame. Until the hook's first, and where
    it lies with another receiver, the picture is the frame as it came, without a result.
    """

    def __init__(
        self,
        camera: Camera,
        query: Query,
        renditions: Renditions[EncodedFrame],
        *,
        turns: Turns,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.camera = camera
        self.is_waiting = False
        self._query = query
        self._renditions = renditions
        self._turns = turns
        self._clock = clock
        self._pace = Pace(query.fps)
        self._rings_at = float("-inf")
        #: What was sent last.
        self._shown: EncodedFrame | Result | None = None
        camera.count_viewers(+1)
        self._stops = [camera.latest.listen(self._ring)]
        if query.view == "annotated":
            self._stops.append(camera.results.listen(self._ring))
        self._ring()

    def take(self) -> bytes | None:
        """Return the newest picture's record, None where it was sent already or does not decode.

        Where it is too early for the next picture, one comes when it is time.
        """
        frame, result = self._newest()
        if frame is None or self._shown is (result or frame):
            return None
        now = self._clock()
        if not self._pace.admits(now):
            if self._rings_at != self._pace.due:
                self._rings_at = self._pace.due
                self._turns.ring_at(self._rings_at, self)
            return None
        shown = frame if result is None else result.picture
        try:
            rendition = self._renditions.render(
                shown, self._query.wish, view="raw" if result is None else "annotated"
            )
        except FrameError as exc:
            logger.debug("%s, frame %d: %s", frame.camera, frame.seq, exc)
            return None
        if rendition.frame is not shown:
            # Made for a faster viewer it is newer, and may have another result.
            if result is not None:
                return None
            frame = rendition.frame
            if frame is self._shown:
                return None
        self._shown = result or frame
        self.camera.count_shown(frame)
        return picture(
            rendition,
            view=self._query.view,
            frame=frame,
            state=self.camera.state(),
            result=result,
        )

    def close(self) -> None:
        """Ring no more; for the one who made it."""
        for stop in self._stops:
            stop()
        self.camera.count_viewers(-1)

    def _ring(self) -> None:
        self._turns.ring(self)

    def _newest(self) -> tuple[EncodedFrame | None, Result | None]:
        result = self.camera.results.peek() if self._query.view == "annotated" else None
        if result is None or isinstance(result.picture, SharedFrame) or not result.picture.data:
            return self.camera.latest.peek(), None
        return result.frame, result
