"""Viewer: one live view of one camera."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from typing import Protocol

from shared.errors import FrameError
from shared.latest import Closed, Latest
from shared.view.freshness import State
from shared.view.query import Query
from shared.view.renditions import P, Rendition, Renditions, View

logger = logging.getLogger(__name__)

#: A picture is sent again when no newer one comes for this many seconds: browsers that hold the
#: newest one back show it then, and a viewer that went away is noticed.
_REPEAT = 1.0


class Camera(Protocol[P]):
    """Where pictures come from, as viewers see it. Any thread."""

    @property
    def name(self) -> str: ...
    def feed(self, view: View) -> tuple[View, Latest[P]]:
        """Return what is shown for `view`, and where it comes from."""
        ...

    def state(self) -> State: ...
    def age(self) -> float:
        """Return the seconds since a frame last came, here or elsewhere."""
        ...

    def is_newer_elsewhere(self) -> bool:
        """Say whether another process has had a frame since this one last had, and brings it."""
        ...

    def glance(self) -> None:
        """Note that somebody looks at a single picture."""

    def count_viewers(self, change: int) -> None:
        """Note that so many more, or less, watch it live."""

    def count_shown(self, frame: P, /) -> None:
        """Note that a viewer is shown `frame`."""


def watch(
    camera: Camera[P],
    query: Query,
    renditions: Renditions[P],
    *,
    repeat: float = _REPEAT,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Rendition[P]]:
    """Yield the newest picture as `query` wishes, then every newer one that its pace admits.

    While a camera is stale its last picture is repeated; the end comes once it is gone, or its
    feed was closed. A picture that does not decode is left out.
    """
    pace = Pace(query.fps)
    quiet = repeat if query.fps is None else max(repeat, 1.5 / query.fps)
    repeat_at = clock() + quiet
    view, source = camera.feed(query.view)
    reader, skipped = source.reader(), 0
    newest: P | None = None
    shown: P | None = None
    while True:
        # The hook's first picture came.
        if camera.feed(query.view)[0] != view:
            view, source = camera.feed(query.view)
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


def _render(renditions: Renditions[P], frame: P, query: Query, view: View) -> Rendition[P] | None:
    try:
        return renditions.render(frame, query.wish, view=view)
    except FrameError as exc:
        logger.debug("%s, frame %s: %s", frame.camera, frame.seq, exc)
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
