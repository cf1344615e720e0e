"""Snapshot: a camera that gives one picture for each request, asked at a steady rate."""

from __future__ import annotations

import itertools

import requests

from sender.sources.body import Body
from sender.sources.contract import Shot, SourceError
from sender.sources.http_camera import HttpCamera
from sender.sources.interrupt import Interrupt
from sender.sources.pace import Pace
from sender.sources.still import read_still
from shared.errors import FrameError
from shared.multipart import MAX_PART

#: Many cameras encode a snapshot only when asked, and take their time.
DEFAULT_FPS = 2.0


class SnapshotFeed:
    """Ask `camera` `fps` times a second, or as often as it answers. `answer` is the first one."""

    def __init__(
        self,
        camera: HttpCamera,
        answer: requests.Response,
        interrupt: Interrupt,
        *,
        name: str,
        fps: float | None,
        timeout: float,
    ) -> None:
        self._camera = camera
        self._answer: requests.Response | None = answer
        self._interrupt = interrupt
        self._name = name
        self._interval = 1 / (fps or DEFAULT_FPS)
        self._timeout = timeout
        self._pace = Pace(interrupt)
        self._numbers = itertools.count()

    def read(self) -> Shot:
        """Return the next picture; raise SourceError."""
        self._pace.wait(next(self._numbers) * self._interval)
        answer = self._answer or self._camera.get(self._timeout)
        self._answer = None
        try:
            body = Body(answer, self._interrupt, name=self._name)
            body.within(self._timeout)
            data = bytearray()
            while piece := body.receive():
                data += piece
                if len(data) > MAX_PART:
                    raise SourceError(
                        f"{self._name}: expected an image of at most {MAX_PART >> 20} MiB",
                        reason="format",
                    )
            return Shot(read_still(bytes(data)), body.received)
        except FrameError as exc:
            raise SourceError(f"{self._name}: {exc}", reason="format") from None
        finally:
            answer.close()

    def close(self) -> None:
        answer, self._answer = self._answer, None
        if answer is not None:
            answer.close()
