"""Viewer: one live view of one camera."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator

from receiver.camera import Camera
from receiver.view.query import Query
from receiver.view.renditions import Rendition, Renditions, View
from shared.errors import FrameError
from shared.frame import EncodedFrame
from shared.latest import Closed, Latest

logger = logging.getLogger(__name__)

#: A picture is sent again when no newer one comes for this many seconds: browsers that hold the
#: newest one back show it then, and a viewer that went away is noticed.
_REPEAT = 1.0


def feed(camera: Camera, view: View) -> tuple[View, Latest[EncodedFrame]]:
    """Return what is shown for `view`, and where it comes from: without a hook the raw picture."""
    if view == "annotated" and camera.annotated.peek() is not None:
        return "annotated", camera.annotated
    return "raw", camera.latest


def watch(
    camera: Camera,
    query: Query,
    renditions: Renditions,
    *,
    repeat: float = _REPEAT,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Rendition]:
    """Yield the newest picture as `query` wishes, then every newer one that its pace admits.

    While a camera is stale its last picture is repeated; the end comes once it is gone, or its
    feed was closed. A picture that does not decode is left out.
    """
    pace = Pace(query.fps)
    quiet = repeat if query.fps is None else max(repeat, 1.5 / query.fps)
    repeat_at = clock() + quiet
    view, source = feed(camera, query.view)
    reader, skipped = source.reader(), 0
    newest: EncodedFrame | None = None
    shown: EncodedFrame | None = None
    while True:
        # The hook's first picture came.
        if feed(camera, query.view)[0] != view:
            view, source = feed(camera, query.view)
            reader, skipped = source.reader(), 0
        try:
            frame = reader.get(max(0.0, repeat_at - clock()))
        except Closed:
            return
        now = clock()
        _, missed, _ = reader.counts()
        if missed > skipped:
            renditions.skip(missed - skipped)
            skipped = missed
        newest = frame or newest
        if pace.admits(now) or frame is None:
            repeat_at = now + quiet
            rendition = newest and _render(renditions, newest, query, view)
            # Made for a faster viewer, it may be newer than asked, and be here already.
            if rendition and (rendition.frame is not shown or frame is None):
                shown = rendition.frame
                camera.count_shown(shown)
                yield rendition
        if camera.state() == "gone":
            return


def _render(
    renditions: Renditions, frame: EncodedFrame, query: Query, view: View
) -> Rendition | None:
    try:
        return renditions.render(frame, query.wish, view=view)
    except FrameError as exc:
        logger.debug("%s, frame %d: %s", frame.camera, frame.seq, exc)
        return None


class Pace:
    """Thins pictures evenly to `fps`, whatever their own rate; None admits them all."""

    def __init__(self, fps: float | None) -> None:
        self._period = 1 / fps if fps else 0.0
        self._due = float("-inf")

    @property
    def due(self) -> float:
        """From when on the next picture is admitted, in monotonic seconds."""
        # A picture a little early is the one meant; one that was late does not shift the rest.
        return self._due - self._period / 10

    def admits(self, now: float) -> bool:
        """Tell whether a picture at `now` (monotonic seconds) is to be shown, and count on it."""
        if now < self.due:
            return False
        self._due = max(self._due, now - self._period) + self._period
        return True
