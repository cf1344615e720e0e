"""Control: what this receiver wishes of each camera's sender, by a person's word or by itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

import flask

from receiver.camera import Camera
from receiver.governor import Governor
from receiver.hub import Hub
from receiver.wish import read_wish
from shared.control import Control
from shared.errors import FrameError
from shared.frame import check_camera
from shared.problem import problem

_MAX_BODY = 4096
#: What is told of a camera of which nothing is known.
_NOTHING: dict[str, Any] = {"wish": None, "automatic": None, "in_force": None}


class Controls:
    """The wishes by camera. Any thread.

    A person's wish stands until it is taken back, and where it names a rate, that one holds.
    """

    def __init__(
        self,
        hub: Hub,
        *,
        automatic: bool = True,
        max_cameras: int = 128,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`automatic`: ask for fewer frames where a hook is far too slow for them."""
        self._hub = hub
        self._automatic = automatic
        self._max_cameras = max_cameras
        self._clock = clock
        self._lock = threading.Lock()
        self._wishes: dict[str, Control] = {}
        self._governors: WeakKeyDictionary[Camera, Governor] = WeakKeyDictionary()

    def wish(self, name: str) -> Control | None:
        """Return what is wished of the camera's sender now; call it with every reply to a frame."""
        camera = self._hub.get(name)
        with self._lock:
            if camera is not None and self._automatic:
                self._governor(camera).look(camera)
            wish = self._in_force(name, camera)
        if camera is not None:
            camera.interval = 1 / wish.fps if wish and wish.fps else 0.0
        return wish

    def header(self, name: str) -> str | None:
        """Return the same as the value of X-Frame-Control, None without a wish."""
        wish = self.wish(name)
        return None if wish is None else str(wish)

    def put(self, name: str, wish: Control) -> None:
        """Wish this from now on; raise FrameError (429) when there are too many wishes.

        A wish without anything in it takes the one before back.
        """
        if wish == Control():
            self.delete(name)
            return
        with self._lock:
            if name not in self._wishes and len(self._wishes) >= self._max_cameras:
                raise FrameError(
                    f"control: expected wishes for at most {self._max_cameras} cameras, and there "
                    "are as many; take one back with DELETE",
                    status=429,
                    reason="cameras",
                )
            self._wishes[name] = wish

    def delete(self, name: str) -> None:
        """Take a person's wish back."""
        with self._lock:
            self._wishes.pop(name, None)

    def facts(self, name: str) -> dict[str, Any] | None:
        """Return what is wished and why, JSON-able; None for a camera of which nothing is known."""
        camera = self._hub.get(name)
        with self._lock:
            wish = self._wishes.get(name)
            if camera is None and wish is None:
                return None
            automatic = self._found(camera)
            in_force = self._in_force(name, camera)
        return {
            "wish": wish and wish.facts(),
            "automatic": automatic and automatic.facts(),
            "in_force": in_force and in_force.facts(),
        }

    def _in_force(self, name: str, camera: Camera | None) -> Control | None:
        wish, found = self._wishes.get(name), self._found(camera)
        if wish is None or found is None or wish.fps is not None:
            return wish or found
        return replace(wish, fps=found.fps)

    def _found(self, camera: Camera | None) -> Control | None:
        governor = None if camera is None else self._governors.get(camera)
        return None if governor is None or governor.fps is None else Control(fps=governor.fps)

    def _governor(self, camera: Camera) -> Governor:
        governor = self._governors.get(camera)
        if governor is None:
            governor = self._governors[camera] = Governor(clock=self._clock)
        return governor


def blueprint(controls: Controls) -> flask.Blueprint:
    """Return the routes."""
    bp = flask.Blueprint("control", __name__)

    @bp.get("/cameras/<camera>/control")
    def get_control(camera: str) -> flask.Response:
        """What is wished of this camera's sender."""
        facts = controls.facts(check_camera(camera))
        if facts is None:
            detail = f"camera: no frame of {camera!r} has come yet, and nothing is wished of it"
            return problem(404, "No such camera", detail)
        return flask.jsonify(facts)

    @bp.put("/cameras/<camera>/control")
    def put_control(camera: str) -> flask.Response:
        """Wish another rate, size or quality, in place of what was wished before."""
        body = flask.request.stream.read(_MAX_BODY + 1)
        if len(body) > _MAX_BODY:
            sentence = f"body: expected at most {_MAX_BODY} bytes"
            raise FrameError(sentence, status=413, reason="too_large")
        controls.put(check_camera(camera), read_wish(body))
        return flask.jsonify(controls.facts(camera) or _NOTHING)

    @bp.delete("/cameras/<camera>/control")
    def delete_control(camera: str) -> flask.Response:
        """Take the wish back."""
        controls.delete(check_camera(camera))
        return flask.jsonify(controls.facts(camera) or _NOTHING)

    return bp
