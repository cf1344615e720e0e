"""Stage: a sender's server with windows into which a test puts pictures."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import requests
from prometheus_client import CollectorRegistry

from sender.picture import ImagePicture, Picture
from sender.view import serving
from sender.view.server import Server
from sender.view.window import Window, Windows
from shared import pattern
from shared.codec import Image

Part = tuple[dict[str, str], bytes]


def make_server(
    host: str = "127.0.0.1",
    *,
    port: int = 0,
    windows: Sequence[Window] = (),
    viewers: int = 4,
    token: str | None = None,
    is_exposed: bool = False,
    registry: CollectorRegistry | None = None,
    cameras: Callable[[], Sequence[Any]] = list,
    alive: Callable[[], Sequence[str]] = list,
) -> Server:
    return serving.make_server(
        (host, port),
        Windows(windows),
        viewers=viewers,
        token=token,
        is_exposed=is_exposed,
        registry=registry or CollectorRegistry(),
        cameras=cameras,
        alive=alive,
    )


class Counted:
    """A picture that knows how often it was made a JPEG, and in which sizes and qualities."""

    def __init__(self, number: int, width: int = 640, height: int = 360) -> None:
        self._picture = ImagePicture(pattern.draw(number, width, height))
        self.width, self.height = width, height
        self.held_bytes = self._picture.held_bytes
        self.encoded: list[tuple[int, tuple[int, int] | None]] = []

    def to_jpeg(self, quality: int, size: tuple[int, int] | None = None) -> bytes:
        self.encoded.append((quality, size))
        return self._picture.to_jpeg(quality, size)

    def to_pixels(self, size: tuple[int, int]) -> Image:
        return self._picture.to_pixels(size)


class Stage:
    """A server on a port of its own. `names` are the cameras, of which nothing has come yet."""

    def __init__(self, *names: str, **given: Any) -> None:
        self.windows = {name: Window(name) for name in names or ("cam1",)}
        self.registry = CollectorRegistry()
        self._server = make_server(
            windows=[*self.windows.values()],
            registry=self.registry,
            cameras=self._cameras,
            **given,
        )
        self.port = self._server.port
        self.url = f"http://127.0.0.1:{self.port}"
        self._number = 0

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._server.stop()

    def show(
        self, picture: Picture | None = None, *, camera: str = "cam1", seq: int | None = -1
    ) -> Picture:
        """Have the camera give a picture, the next one of the pattern if none is given."""
        self._number += 1
        picture = picture or Counted(self._number)
        self.windows[camera].show(
            picture,
            epoch="e1",
            seq=self._number if seq == -1 else seq,
            captured=time.monotonic(),
        )
        return picture

    @contextmanager
    def showing(self, *, camera: str = "cam1", fps: float = 20) -> Iterator[list[Counted]]:
        """Have pictures come meanwhile; return those that came."""
        came: list[Counted] = []
        done = threading.Event()

        def run() -> None:
            while not done.wait(1 / fps):
                picture = Counted(len(came) + 1)
                came.append(picture)
                self.show(picture, camera=camera)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield came
        finally:
            done.set()
            thread.join(30)

    def get(self, path: str, **given: Any) -> requests.Response:
        return requests.get(f"{self.url}{path}", timeout=30, **given)

    def value(self, name: str, **labels: str) -> float:
        """Return a metric's value."""
        found = self.registry.get_sample_value(f"framepost_sender_{name}", labels)
        assert found is not None, name
        return found

    @contextmanager
    def view(self, path: str) -> Iterator[Iterator[Part]]:
        """Look at a stream; return its parts."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("GET", path)
        answer = connection.getresponse()
        try:
            assert answer.status == 200, answer.read()
            yield read_parts(answer)
        finally:
            answer.close()
            connection.close()

    def stick(self, path: str = "/cameras/cam1/stream.mjpg") -> socket.socket:
        """Return a viewer that has asked and does not read."""
        viewer = socket.socket()
        viewer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        viewer.connect(("127.0.0.1", self.port))
        viewer.sendall(f"GET {path} HTTP/1.0\r\nHost: x\r\n\r\n".encode())
        return viewer

    def _cameras(self) -> list[dict[str, Any]]:
        return [
            {
                "camera": name,
                "state": "live" if window.feed("raw")[1].peek() else "retrying",
                "width": (sight := window.feed("raw")[1].peek()) and sight.width,
                "height": sight and sight.height,
                "fps_in": 25.0,
                "fps_out": 10.0,
                "source_error": None if sight else f"rtsp://{name}/: connection refused",
            }
            for name, window in self.windows.items()
        ]


def until(true: Callable[[], bool], *, within: float = 30.0) -> None:
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline
        threading.Event().wait(0.02)


def read_parts(answer: http.client.HTTPResponse) -> Iterator[Part]:
    """Yield the parts of a stream until its end."""
    headers: dict[str, str] = {}
    while line := answer.readline():
        text = line.decode().strip()
        if ":" in text:
            name, _, value = text.partition(": ")
            headers[name] = value
        elif not text and headers:
            yield headers, answer.read(int(headers["Content-Length"]))
            headers = {}
