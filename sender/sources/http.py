"""HTTP cameras: an MJPEG stream, or a JPEG that is asked for again and again.

Which of the two is decided by the Content-Type of the camera's answer.
"""

from __future__ import annotations

from typing import Protocol

from sender.sources.address import Address
from sender.sources.contract import Shot, SourceError, SourceOptions
from sender.sources.events import Offered
from sender.sources.http_camera import HttpCamera
from sender.sources.interrupt import Interrupt
from sender.sources.mjpeg import MjpegFeed
from sender.sources.snapshot import SnapshotFeed

#: What `ffmpeg -f mpjpeg -listen 1` and the like call their stream: its first line will tell.
_UNNAMED = {"", "application/octet-stream"}


class Feed(Protocol):
    """Shots out of one camera's answers."""

    def read(self) -> Shot: ...

    def close(self) -> None: ...


class HttpSource:
    """A Source for http:// and https://; JPEGs are left as they came."""

    finite = False
    length: int | None = None

    def __init__(self, address: Address, options: SourceOptions) -> None:
        self._address = address
        self._options = options
        self._interrupt = Interrupt()
        self._camera = HttpCamera(
            address, self._interrupt, timeout=options.read_timeout, observe=options.observe
        )
        self._feed: Feed | None = None

    def open(self) -> None:
        answer = self._camera.get(self._options.open_timeout)
        kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        timeout = self._options.read_timeout
        if kind.startswith("multipart/") or kind in _UNNAMED:
            self._feed = MjpegFeed(
                answer, self._interrupt, name=self._address.shown, timeout=timeout
            )
        elif kind.startswith("image/"):
            self._feed = SnapshotFeed(
                self._camera,
                answer,
                self._interrupt,
                name=self._address.shown,
                fps=self._options.fps,
                timeout=timeout,
            )
        else:
            answer.close()
            raise SourceError(
                f"{self._address.shown}: expected an MJPEG stream (multipart/x-mixed-replace) or "
                f"an image (image/jpeg), got {kind[:80]}",
                reason="format",
            )
        if self._options.observe is not None:
            what = "JPEG snapshots" if kind.startswith("image/") else "Motion JPEG"
            self._options.observe(Offered("http", what))

    def read(self) -> Shot:
        assert self._feed is not None, "read before open"
        return self._feed.read()

    def close(self) -> None:
        feed, self._feed = self._feed, None
        if feed is not None:
            feed.close()
        self._camera.close()
        self._interrupt.clear()

    def interrupt(self) -> None:
        self._interrupt.set()
