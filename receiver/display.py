"""Display: the cameras in windows on this machine's screen, in a process of their own."""

from __future__ import annotations

import logging
import os
import sys
import time
from contextlib import suppress
from typing import Any

from receiver.camera import Camera
from receiver.child.child import Child
from receiver.child.pipe import PipeClosed
from receiver.child.switchboard import Switchboard
from receiver.hub import Hub
from shared.frame import EncodedFrame
from shared.latest import Closed, LatestReader
from shared.worker import Worker

logger = logging.getLogger(__name__)

#: More windows than this help nobody.
_MAX_WINDOWS = 16
_GRACE = 1.0


class DisplayProcess(Worker):
    """Feed the process that has the windows; a screen's troubles are never the receiver's.

    It asks for pictures as often as it can draw, and gets each camera's newest, as the hook left
    it where one does. It has a place of its own in each feed, so the books do not know it.
    """

    def __init__(self, hub: Hub) -> None:
        super().__init__("display")
        self._hub = hub
        self._board: Switchboard[Child] = Switchboard()
        self._child: Child | None = None
        self._feeds: dict[str, _Feed] = {}
        self._drawn = False

    def wake(self) -> None:
        self._board.ring()

    def open(self) -> None:
        self._board.open()
        missing = no_screen()
        if missing:
            self._give_up(missing)
            return
        try:
            # What Qt says at the start is noise; the end of it tells why it could not.
            self._child = Child(
                "receiver.display_process", {}, label="display", level=logging.DEBUG
            )
        except OSError as exc:
            self._give_up(f"cannot start a process: {exc.strerror}")
            return
        self._board.add(self._child)

    def step(self) -> None:
        for child, message in self._board.wait(time.monotonic() + 1.0):
            if message is None:
                self._end(child)
                return
            self._drawn = self._drawn or message[0]["drawn"]
            facts, pictures = self._news()
            with suppress(PipeClosed):  # then its end is what we hear next
                child.pipe.send({"frames": facts, "quiet": self._quiet()}, pictures)

    def close(self) -> None:
        if self._child is not None:
            self._child.pipe.end()
            end = time.monotonic() + _GRACE
            while not self._child.gone and time.monotonic() < end:
                self._child.output.wait(0.05)
            self._child.kill()
            self._board.bury(self._child)
        self._board.close()

    def _news(self) -> tuple[list[dict[str, Any]], bytes]:
        facts, pictures = [], []
        for camera in self._hub.cameras():
            feed = self._feeds.get(camera.name)
            if feed is None or feed.camera is not camera:
                if len(self._feeds) >= _MAX_WINDOWS and feed is None:
                    continue
                feed = self._feeds[camera.name] = _Feed(camera)
            frame = feed.newest()
            if frame is None:
                continue
            extent = {"size": len(frame.data), "fps": camera.arrivals.per_second()}
            facts.append(frame.facts() | extent)
            pictures.append(frame.data)
        return facts, b"".join(pictures)

    def _quiet(self) -> dict[str, int]:
        """Return the cameras that send nothing, and for how many seconds."""
        cameras = [feed.camera for feed in self._feeds.values()]
        return {c.name: int(c.age()) for c in cameras if not c.is_live()}

    def _end(self, child: Child) -> None:
        how = self._board.bury(child)
        self._child = None
        if how == "exit code 0":
            logger.info("display closed; the receiver goes on")
            self.finish()
        elif self._drawn:
            logger.warning("display died (%s); the receiver goes on", how)
            self.finish()
        else:
            lines = [line for line in child.output.recent if "display" in line.lower()]
            self._give_up(lines[0] if lines else how)

    def _give_up(self, why: str) -> None:
        logger.warning("--display: no screen here (%s); going on without", why)
        self.finish()


class _Feed:
    """A place in a camera's pictures: what the hook drew, or the frames while there is no hook."""

    def __init__(self, camera: Camera) -> None:
        self.camera = camera
        self._latest = camera.latest.reader()
        self._annotated = camera.annotated.reader()

    def newest(self) -> EncodedFrame | None:
        has_hook = self.camera.annotated.peek() is not None
        reader: LatestReader[EncodedFrame] = self._annotated if has_hook else self._latest
        try:
            return reader.get(0)
        except Closed:
            return None


def no_screen() -> str:
    """Return why there can be no window on this machine, or nothing."""
    if sys.platform == "linux" and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        return "neither DISPLAY nor WAYLAND_DISPLAY is set"
    return ""
