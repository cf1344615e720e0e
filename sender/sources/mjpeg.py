"""MJPEG over HTTP: one endless answer, a JPEG in each of its parts."""

from __future__ import annotations

import time

import requests

from sender.sources.body import Body
from sender.sources.contract import Shot, SourceError
from sender.sources.interrupt import Interrupt
from sender.sources.still import read_still
from shared.byte_stream import ByteStream
from shared.errors import FrameError
from shared.multipart import BrokenStream, Multipart


class MjpegFeed:
    """Read one part after the other; parts that are no whole image are counted as lost."""

    def __init__(
        self, answer: requests.Response, interrupt: Interrupt, *, name: str, timeout: float
    ) -> None:
        self._name = name
        self._timeout = timeout
        self._body = Body(answer, interrupt, name=name)
        stream = ByteStream(self._body.receive)
        self._parts = Multipart(stream, boundary=_boundary(answer))

    def read(self) -> Shot:
        """Return the next picture; raise SourceError."""
        lost = 0
        give_up = time.monotonic() + self._timeout
        while True:
            self._body.within(self._timeout)
            part = self._take_part()
            try:
                return Shot(read_still(part), self._body.received, lost=lost)
            except FrameError as exc:
                lost += 1
                if time.monotonic() > give_up:
                    raise SourceError(
                        f"{self._name}: parts come, but none is an image; the last one's {exc}",
                        reason="format",
                    ) from None

    def close(self) -> None:
        self._body.close()

    def _take_part(self) -> bytes:
        try:
            self._parts.head()
            return self._parts.body()
        except EOFError:
            raise SourceError(
                f"{self._name}: the camera ended the stream", reason="ended"
            ) from None
        except BrokenStream as exc:
            raise SourceError(
                f"{self._name}: expected a stream of JPEGs, got {exc.got}", reason="format"
            ) from None


def _boundary(answer: requests.Response) -> str | None:
    for field in answer.headers.get("Content-Type", "").split(";")[1:]:
        key, _, value = field.strip().partition("=")
        if key.strip().lower() == "boundary":
            return value.strip().strip('"') or None
    return None
