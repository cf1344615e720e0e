"""The display process: one window for each camera, until `q`, Esc or the receiver's end.

Started by the receiver as `python -m receiver.display_process JSON`; a person never calls it.
"""

from __future__ import annotations

import json
import signal
import socket
import sys
import time
from typing import Any

import cv2

from receiver.child.orphan import die_with_parent
from receiver.child.pipe import Pipe, PipeClosed
from receiver.frame import Frame
from shared.codec import Image
from shared.errors import FrameError
from shared.frame import EncodedFrame

_QUIT_KEYS = {ord("q"), ord("Q"), 27}
_PAUSE_MS = 15
_FIRST_WIDTH = 960


class Window:
    """A camera's window; made with its first picture."""

    def __init__(self, camera: str, image: Image) -> None:
        self.name = f"{camera} - Framepost"
        self._image = image
        self._shown_quiet = 0
        cv2.namedWindow(self.name, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
        height, width = image.shape[:2]
        shown = min(width, _FIRST_WIDTH)
        cv2.resizeWindow(self.name, shown, max(1, height * shown // width))

    @property
    def closed(self) -> bool:
        return cv2.getWindowProperty(self.name, cv2.WND_PROP_VISIBLE) < 1

    def show(self, image: Image, text: str) -> None:
        self._image = image
        self._shown_quiet = 0
        self._draw(text)

    def show_quiet(self, seconds: int) -> None:
        """Say in the last picture for how long none has come."""
        if seconds != self._shown_quiet:
            self._shown_quiet = seconds
            self._draw(f"no frame for {seconds} s")

    def _draw(self, text: str) -> None:
        image = self._image.copy()
        scale = max(0.5, image.shape[1] / 1280)
        bar = min(image.shape[0], round(32 * scale))
        image[-bar:] //= 4
        place = (round(10 * scale), image.shape[0] - round(10 * scale))
        thick = max(1, round(1.5 * scale))
        cv2.putText(
            image, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.8 * scale, (255, 255, 255), thick
        )
        cv2.imshow(self.name, image)


class Display:
    """The windows by camera. All in the main thread, as the window systems want it."""

    def __init__(self) -> None:
        self._windows: dict[str, Window] = {}
        self._closed: set[str] = set()

    def show(self, frames: list[dict[str, Any]], pictures: bytes, quiet: dict[str, int]) -> None:
        """Show the newest pictures, and whose camera is quiet."""
        start = 0
        for facts in frames:
            end = start + facts.pop("size")
            fps = facts.pop("fps")
            frame = Frame(EncodedFrame(**facts, data=pictures[start:end]))
            start = end
            if frame.camera not in self._closed:
                self._show(frame, fps)
        for camera, seconds in quiet.items():
            if camera in self._windows:
                self._windows[camera].show_quiet(seconds)

    def wait_for_key(self) -> bool:
        """Let the windows live for a moment; False when they shall be closed."""
        if not self._windows:
            # Without a window waitKey returns at once.
            time.sleep(_PAUSE_MS / 1000)
            return not self._closed
        if cv2.waitKey(_PAUSE_MS) & 0xFF in _QUIT_KEYS:
            return False
        for camera in [c for c, window in self._windows.items() if window.closed]:
            del self._windows[camera]
            self._closed.add(camera)
        return True

    @property
    def drawn(self) -> bool:
        return bool(self._windows)

    def _show(self, frame: Frame, fps: float) -> None:
        try:
            image = frame.image
        except FrameError:
            return  # the hook, whose frame it is too, tells
        window = self._windows.get(frame.camera)
        if window is None:
            window = self._windows[frame.camera] = Window(frame.camera, image)
        # Clocks of two machines may differ by more than the latency.
        latency = f"{frame.age * 1000:.0f} ms" if 0 <= frame.age < 60 else "clocks differ"
        window.show(image, f"{frame.camera}  {fps:.1f} fps  {latency}")


def main(argument: str) -> None:
    """Show what the receiver sends until it ends or the user does."""
    settings = json.loads(argument)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent(settings["parent"])
    pipe = Pipe(socket.socket(fileno=settings["fd"]))
    display = Display()
    try:
        while display.wait_for_key():
            pipe.send({"drawn": display.drawn})
            header, pictures = pipe.receive()
            display.show(header["frames"], pictures, header["quiet"])
    except PipeClosed:
        return


if __name__ == "__main__":
    main(sys.argv[1])
