"""Pipelines: cameras to the receiver's hub within one process, so that a trial needs no start-up.

What HTTP would carry is handed over: the same headers and bodies, without sockets between.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from email.message import Message
from functools import partial
from types import TracebackType
from typing import Any, Literal, Self

from receiver.desk import Desk
from receiver.hub import Hub
from receiver.result import Result
from sender.endpoint import Endpoint
from sender.pipeline import Pipeline
from sender.source import SourceOptions, open_source
from shared import wire
from shared.errors import FrameError
from shared.frame import EncodedFrame
from shared.http_client import Reply
from shared.jpeg import MAX_PIXELS
from shared.redact import redact
from shared.seats import Seats

Transport = Literal["tcp", "udp"]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A frame that the hub took, at `at` monotonic seconds."""

    frame: EncodedFrame
    at: float
    #: Seconds since its capture, as it says.
    age: float


class Pipelines:
    """A sender's pipelines and a hub; `add` cameras, look at `arrivals` and `status`."""

    def __init__(self) -> None:
        self.arrivals: dict[str, list[Arrival]] = {}
        self.hub = Hub(observers=[self])
        self._desk = Desk(
            self.hub, max_pixels=MAX_PIXELS, seats=Seats(8), has_hook=lambda camera: False
        )
        self._pipelines: dict[str, Pipeline] = {}
        self._came = threading.Condition()
        self._ended = threading.Event()
        self._watch = threading.Thread(target=self._look, name="pipelines")

    def add(
        self,
        camera: str,
        url: str,
        *,
        transport: Transport = "tcp",
        open_timeout: float = 5.0,
        read_timeout: float = 5.0,
        fps: float | None = None,
    ) -> None:
        """Read the camera at `url` from now on."""
        options = SourceOptions(
            rtsp_transport=transport,
            open_timeout=open_timeout,
            read_timeout=read_timeout,
            fps=fps,
        )
        pipeline = Pipeline(
            camera,
            partial(open_source, url, options),
            source_name=redact(url),
            make_client=lambda: _Client(camera, self._desk),
            endpoint=Endpoint.parse("http://127.0.0.1:1", camera),
            patience=2 + max(2 * max(open_timeout, read_timeout), 10 + read_timeout),
        )
        self._pipelines[camera] = pipeline
        pipeline.start()

    def status(self, camera: str) -> dict[str, Any]:
        """Return what the sender's /status says of the camera."""
        return self._pipelines[camera].status()

    def frames(self, camera: str) -> list[Arrival]:
        with self._came:
            return list(self.arrivals.get(camera, ()))

    def wait_for_frames(self, camera: str, count: int, *, seconds: float = 30.0) -> float:
        """Wait until so many more came; return how long that took. Raise AssertionError."""
        goal = len(self.frames(camera)) + count
        return self.wait_until(
            f"{count} frames of {camera}", lambda: len(self.frames(camera)) >= goal, seconds
        )

    def wait_until(
        self, what: str, condition: Callable[[], object], seconds: float = 30.0
    ) -> float:
        """Ask again and again, and at each frame; return how long it took; AssertionError."""
        started = time.monotonic()
        with self._came:
            while not condition():
                if time.monotonic() - started > seconds:
                    raise AssertionError(f"not so after {seconds:g} s: {what}; {self._statuses()}")
                self._came.wait(0.02)
        return time.monotonic() - started

    def bugs(self) -> list[BaseException]:
        """Return what killed a thread."""
        return [bug for pipeline in self._pipelines.values() for bug in pipeline.bugs()]

    def __enter__(self) -> Self:
        self._watch.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._watch.join()
        with ExitStack() as stack:
            for pipeline in self._pipelines.values():
                stack.callback(pipeline.join, time.monotonic() + 10)
                pipeline.ask_to_stop()
                pipeline.interrupt()
        self.hub.close()

    # What the hub tells its observers

    def received(self, frame: EncodedFrame) -> None:
        arrival = Arrival(frame, time.monotonic(), time.time() - frame.captured_at)
        with self._came:
            self.arrivals.setdefault(frame.camera, []).append(arrival)
            self._came.notify_all()

    def finished(self, result: Result) -> None: ...
    def forgotten(self, camera: str) -> None: ...
    def closed(self) -> None: ...

    def _look(self) -> None:
        while not self._ended.wait(0.25):
            for pipeline in list(self._pipelines.values()):
                pipeline.watch()

    def _statuses(self) -> dict[str, Any]:
        return {camera: pipeline.status() for camera, pipeline in self._pipelines.items()}


class _Client:
    """In the place of an HttpClient: gives frames to the desk."""

    def __init__(self, camera: str, desk: Desk) -> None:
        self._camera = camera
        self._desk = desk

    def post(
        self,
        target: str,
        body: bytes,
        headers: dict[str, str],
        *,
        sent: Callable[[], object] | None,
    ) -> Reply:
        given = Message()
        for name, value in headers.items():
            given[name] = value
        if sent is not None:
            sent()
        try:
            self._desk.take(self._camera, body, wire.from_headers(given))
        except FrameError as exc:
            return Reply(exc.status, Message(), str(exc).encode())
        return Reply(202, Message(), b"")

    def interrupt(self) -> None: ...
    def close(self) -> None: ...
