"""Workspace: a copy of the project where a page's commands do no harm, and find what they name."""

from __future__ import annotations

import os
import re
import shutil
import sys
from contextlib import ExitStack
from pathlib import Path

import av

from camera.simulated import SimulatedCamera
from shared import codec, pattern
from tests.program import ROOT
from tests.recordings import make_frames, write_recording
from tests.redis_server import RedisServer
from tests.sender.doubles import free_port

_COPIED = ("sender", "receiver", "shared", "camera", "hooks", "my_hooks", "clients", "docs")
_FILES = ("README.md", "Makefile", "requirements.txt", "docker-compose.yml", ".env.example")
#: The port in a URL or an address of this machine, and behind an option.
_PORT = re.compile(
    r"(?P<before>(?:127\.0\.0\.1|localhost|0\.0\.0\.0):|--(?:status-)?port[ =])(?P<port>\d{4,5})\b"
)
CAMERA = "rtsp://user:password@camera/stream"
REDIS = re.compile(r"\b(?:redis\.example|127\.0\.0\.1|redis):6379\b")


class Workspace:
    """The copy at `folder`, with stand-ins for what no test machine has.

    Each port that a page names is another one here, the same throughout the page. `photo.jpg`,
    `clip.mp4`, `pictures/` and `recordings/cam1/` are there. The camera of all examples is a
    simulated one, and Redis is a real one, from the first mention on.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ports: dict[int, int] = {}
        self._stack = ExitStack()
        self._camera: SimulatedCamera | None = None
        self._redis: RedisServer | None = None
        # With the bytecode, which goes by its source's time, but not what is just being written.
        ignore = shutil.ignore_patterns("*.pyc.*", "results", "build", "target")
        for name in _COPIED:
            shutil.copytree(ROOT / name, folder / name, ignore=ignore)
        for name in _FILES:
            if (ROOT / name).exists():
                shutil.copy(ROOT / name, folder / name)
        # A refusal is a failure, where a page does not say otherwise.
        (folder / ".curlrc").write_text("fail-with-body\nsilent\nshow-error\n")
        _draw(folder)

    def port(self, written: int) -> int:
        """Return the port that is used where a page says `written`."""
        if written not in self._ports:
            port = free_port()
            while port in self._ports.values():
                port = free_port()
            self._ports[written] = port
        return self._ports[written]

    def translate(self, text: str) -> str:
        """Return a command as it is run here."""
        if REDIS.search(text):
            text = REDIS.sub(f"127.0.0.1:{self._redis_port()}", text)
        if CAMERA in text:
            text = text.replace(CAMERA, self._camera_url())
        kept = {str(self._redis.port) if self._redis else "", self._camera_port()}

        def move(found: re.Match[str]) -> str:
            port = found["port"]
            return found["before"] + (port if port in kept else str(self.port(int(port))))

        return _PORT.sub(move, text)

    def environment(self, module: str | None) -> dict[str, str]:
        """Return the environment of a command; what a page leaves to the defaults is moved too."""
        serving = self.port(8002 if module == "receiver.worker" else 8000)
        inherited = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
        return inherited | {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "CURL_HOME": str(self.folder),
            "PYTHONUNBUFFERED": "1",
            "PYTHONWARNINGS": "default",
            "RECEIVER_PORT": str(serving),
            "CAMERA_PORT": str(self.port(8554)),
            "SENDER_CHECK_SECONDS": "1",
            "SENDER_TO": f"http://127.0.0.1:{self.port(8000)}",
        }

    def close(self) -> None:
        self._stack.close()

    def _camera_url(self) -> str:
        if self._camera is None:
            camera = SimulatedCamera(size=(640, 480), fps=25, user="user", password="password")
            self._camera = self._stack.enter_context(camera)
        return self._camera.login_url

    def _camera_port(self) -> str:
        return str(self._camera.port) if self._camera is not None else ""

    def _redis_port(self) -> int:
        if self._redis is None:
            self._redis = self._stack.enter_context(RedisServer())
        return self._redis.port


def _draw(folder: Path) -> None:
    pictures = [codec.encode(pattern.draw(number, 640, 480), 85) for number in range(5)]
    (folder / "photo.jpg").write_bytes(pictures[0])
    (folder / "pictures").mkdir()
    for number, picture in enumerate(pictures):
        (folder / "pictures" / f"{number}.jpg").write_bytes(picture)
    write_recording(folder / "recordings", make_frames(30))
    with av.open(str(folder / "clip.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for number in range(50):
            image = pattern.draw(number, 320, 240, number / 25)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "bgr24")))
        container.mux(stream.encode(None))
