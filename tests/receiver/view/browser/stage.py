"""Stage: a receiver's front without its doors; what a test publishes is what the page shows."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Iterator
from typing import Any

import flask
import numpy as np
from werkzeug.serving import WSGIRequestHandler, make_server

from receiver import health, status
from receiver.app import create_app
from receiver.camera import Camera
from receiver.feeds.journal import Journal
from receiver.history import History
from receiver.hooking.hook_worker import WorkerStatus
from receiver.hub import Hub
from receiver.metrics import Metrics
from receiver.result import Result, drawn
from receiver.view import dashboard, wall
from receiver.view.drawing import draw
from receiver.view.pulse import Pulse
from shared import codec
from shared.frame import EncodedFrame
from shared.seats import Seats
from shared.view import live
from shared.view.renditions import Renditions
from tests.conftest import MakeFrame

WORKER = WorkerStatus(
    hook="hooks.motion:Motion",
    camera="*",
    worker=1,
    state="ready",
    pid=4711,
    since=1_700_000_000.0,
    restarts=0,
    last_error=None,
    processed=0,
    failed=0,
)


class _Handler(WSGIRequestHandler):
    #: Connections are kept, for the page has many small files.
    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing of each of them."""


class _Past(History):
    """A history that a test made up."""

    def __init__(self, told: dict[str, Any]) -> None:
        super().__init__()
        self._told = told

    def facts(self, camera: str | None = None) -> Iterator[tuple[str, dict[str, Any]]]:
        yield from self._told.items()


class Stage:
    """Serves the page and what it asks for; starts at once."""

    def __init__(self, make_frame: MakeFrame) -> None:
        self.clock_offset = 0.0
        self.workers: list[WorkerStatus] = []
        #: As GET /history tells it, and the newest sample of each camera in a status.
        self.history: dict[str, Any] = {}
        self.samples: dict[str, Any] = {}
        #: What GET /hooks/log has, and which hooks were to be loaded anew.
        self.lines: list[dict[str, Any]] = []
        self.reloads: list[str] = []
        #: The token that is asked for, and its roles; None asks for none.
        self.token: str | None = None
        self.roles = ["view"]
        #: While it is not set the receiver says nothing, and takes requests all the same.
        self.talks = threading.Event()
        self.talks.set()
        #: Other routes, from the next start on.
        self.more: list[flask.Blueprint] = []
        self._make = make_frame
        self._start(0)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def publish(
        self, seq: int, *, camera: str = "cam1", width: int = 320, data: bytes | None = None
    ) -> Camera:
        """Publish the test pattern with the number `seq` in it, or `data` as its JPEG."""
        frame = self.frame(seq, camera=camera, width=width)
        if data is not None:
            frame = dataclasses.replace(frame, data=data)
        self.hub.publish(frame)
        found = self.hub.get(camera)
        assert found is not None
        return found

    def frame(self, seq: int, *, camera: str = "cam1", width: int = 320) -> EncodedFrame:
        """Return a frame of the test pattern with the number `seq` in it."""
        return self._make(seq, camera=camera, width=width, height=width * 9 // 16)

    def plain(self, *, camera: str = "cam1", seq: int = 1, width: int = 640) -> Camera:
        """Publish a picture that is grey all over."""
        grey = np.full((width * 9 // 16, width, 3), 96, np.uint8)
        return self.publish(seq, camera=camera, width=width, data=codec.encode(grey, 95))

    def finish(self, camera: Camera, picture: bytes | None = None, **facts: Any) -> None:
        """Enter a result of the camera's newest frame; `picture` is the JPEG of what it drew."""
        frame = camera.pending.take()
        assert frame is not None
        values: dict[str, Any] = {"state": "processed", "value": None} | facts
        camera.finish(
            Result(
                frame=frame,
                picture=drawn(frame, picture, frame.width, frame.height) if picture else frame,
                queue=0.001,
                decode=0.002,
                hook=0.003,
                finished=frame.arrived + 0.0064,
                **values,
            )
        )

    def stop(self) -> None:
        self.talks.set()
        self.hub.close()
        self.pulse.stop()
        self._server.shutdown()
        self._thread.join(30)
        self._server.server_close()

    def restart(self) -> None:
        self._start(self.port)

    def _start(self, port: int) -> None:
        journal = Journal()
        self.hub = Hub(clock=lambda: time.monotonic() + self.clock_offset, observers=[journal])
        self.pulse = Pulse(self._facts, period=0.2)
        self.seats = Seats(10)
        renditions = Renditions(draw)
        app = create_app(
            [
                live.blueprint(self.hub, renditions, seats=self.seats),
                wall.blueprint(
                    self.hub, renditions, journal=journal, pulse=self.pulse, seats=self.seats
                ),
                status.blueprint(self.hub, history=_Past(self.history)),
                health.blueprint(
                    registry=Metrics().registry, hooks=self._hooks, alive=list, ready=list
                ),
                dashboard.blueprint(),
                self._rest(),
                *self.more,
            ],
            max_bytes=1 << 20,
        )
        self._server = make_server("127.0.0.1", port, app, threaded=True, request_handler=_Handler)
        self.port = self._server.port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        self.pulse.start()

    def _facts(self) -> dict[str, Any]:
        self.talks.wait(60)
        cameras = [status.describe(self.hub, camera) for camera in self.hub.cameras()]
        return {"cameras": cameras, "hooks": self._hooks(), "history": self.samples}

    def _hooks(self) -> list[dict[str, Any]]:
        return [dataclasses.asdict(worker) for worker in self.workers]

    def _rest(self) -> flask.Blueprint:
        """The routes that have tests of their own elsewhere."""
        bp = flask.Blueprint("rest", __name__)

        @bp.before_app_request
        def guard() -> tuple[str, int] | None:
            path = flask.request.path
            if path in ("/", "/access") or path.startswith("/static/"):
                return None
            return None if self._known() else ("", 401)

        @bp.get("/access")
        def get_access() -> dict[str, Any]:
            roles = self.roles if self._known() else []
            return {"required": self.token is not None, "roles": roles}

        @bp.get("/hooks/log")
        def get_log() -> dict[str, Any]:
            after = flask.request.args.get("after", 0, int)
            hook = flask.request.args.get("hook")
            lines = [line for line in self.lines[after:] if hook in (None, line["hook"])]
            return {"lines": lines, "next": len(self.lines)}

        @bp.post("/hooks/reload")
        def reload() -> tuple[dict[str, Any], int]:
            if self.token is not None and "admin" not in self.roles:
                return {"detail": "reload: expected a token with the role admin"}, 403
            self.reloads.append(flask.request.args["hook"])
            return {"workers": []}, 202

        return bp

    def _known(self) -> bool:
        given = flask.request.headers.get("Authorization")
        return self.token is None or given == f"Bearer {self.token}"
