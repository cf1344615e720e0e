"""Fixtures for the sources: servers that misbehave, and films of which every colour is known."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av
import pytest

from shared import pattern

Answer = Callable[[BaseHTTPRequestHandler], None]
Serve = Callable[[Answer], str]
MakeVideo = Callable[..., Path]


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Return the port of a server that accepts and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as server:
        yield server.getsockname()[1]


@pytest.fixture
def refusing_port() -> int:
    """Return a port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


class _QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients go at any time."""


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Return a function that starts an HTTP server with `answer` for each GET: its address."""
    servers: list[tuple[ThreadingHTTPServer, threading.Thread]] = []

    def start(answer: Answer) -> str:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                # The client may go at any time.
                with suppress(ConnectionError):
                    answer(self)

            def log_message(self, format: str, *args: object) -> None: ...

        server = _QuietServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield start

    for server, thread in servers:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def make_video(tmp_path: Path) -> MakeVideo:
    """Return a maker of films of the test pattern, numbered from 0."""

    def make(
        name: str = "clip.mp4",
        *,
        frames: int = 10,
        fps: int | Fraction = 25,
        width: int = 320,
        height: int = 240,
        codec: str = "libx264",
        pixels: str = "yuv420p",
        options: dict[str, str] | None = None,
    ) -> Path:
        path = tmp_path / name
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, rate=fps, options=options or {})
            assert isinstance(stream, av.VideoStream)
            stream.width, stream.height, stream.pix_fmt = width, height, pixels
            for number in range(frames):
                image = pattern.draw(number, width, height, float(number / fps))
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "bgr24")))
            container.mux(stream.encode(None))
        return path

    return make
