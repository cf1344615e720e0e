"""SimulatedCamera: a whole camera in this process, with handles to make it misbehave."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self
from urllib.parse import quote

from camera.faults import Fault, Schedule
from camera.mischief import Mischief
from camera.running import Running
from camera.source import Clip, PictureSource, TestPattern
from camera.tally import Tally

#: The whole network stack's "everywhere", and how such a host is reached from here.
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}


class SimulatedCamera(Mischief):
    """An RTSP camera. `start` and `stop` it as often as you like, or use it in a `with`.

    It keeps its port from one start to the next, and goes on numbering its frames. The faults may
    be called from any thread while it runs, and hold when they return; `resume` ends all of them.

    `source` is `testsrc` or a video file; without `size` and `fps` a file is played as it is.
    `start` raises OSError when the port is not to be had, SourceError when the file is no video,
    and ValueError for a size that the codec cannot carry.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        codec: str = "h264",
        size: tuple[int, int] | None = None,
        fps: float | None = None,
        source: str = "testsrc",
        user: str | None = None,
        password: str | None = None,
        gop: int | None = None,
        bitrate: int | None = None,
        faults: Sequence[Fault] = (),
        timeout: float = 60.0,
    ) -> None:
        super().__init__(codec=codec, size=size)
        self.tally = Tally()
        self._host = host
        self._port = port
        self._fps = fps
        self._source = source
        self._login = None if user is None else (user, password or "")
        self._gop = gop
        self._bitrate = bitrate
        self._schedule = Schedule(tuple(faults), self.apply)
        self._timeout = timeout

    # Life

    def start(self) -> Self:
        """Listen; return when clients can come."""
        source = self._open_source()
        fps = self._fps or source.fps
        self._running = Running(
            source,
            host=self._host,
            port=self._port,
            codec=self._codec,
            fps=fps,
            gop=self._gop or max(1, round(fps)),
            bitrate=self._bitrate,
            login=self._login,
            timeout=self._timeout,
            faults=self._faults,
            tally=self.tally,
            on_frame=self._schedule.advance,
        )
        self._port = self._running.port
        self._schedule.advance(self.tally.frames)
        self._running.stream.start()
        return self

    def stop(self) -> None:
        """Go away as a camera does whose plug is pulled; harmless when it is not running."""
        if self._running is not None:
            self._running.stop()
            self._running = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    # State

    @property
    def port(self) -> int:
        """The port; 0 before the first start of a camera that may take any."""
        return self._port

    @property
    def url(self) -> str:
        """Where the stream is; any other path is as good. Without user and password."""
        return f"rtsp://{self._authority}/stream"

    @property
    def login_url(self) -> str:
        """The URL with user and password in it; never show it to anybody."""
        if self._login is None:
            return self.url
        user, password = (quote(part, safe="") for part in self._login)
        return f"rtsp://{user}:{password}@{self._authority}/stream"

    @property
    def summary(self) -> str:
        """What it streams, in words, once it runs."""
        return self._running.stream.summary if self._running is not None else "not running"

    @property
    def clients(self) -> int:
        """How many clients play now."""
        return self.tally.clients

    @property
    def frames_sent(self) -> int:
        """How many frames were made and handed to the clients; the next one has this number."""
        return self.tally.frames

    @property
    def teardowns(self) -> int:
        """How many clients said goodbye."""
        return self.tally.teardowns

    @property
    def error(self) -> BaseException | None:
        """What killed one of the camera's threads: a bug, or a file that became unreadable."""
        return self._running.error if self._running is not None else None

    def wait_until(self, reached: Callable[[SimulatedCamera], bool], timeout: float = 30.0) -> bool:
        """Wait until `reached(camera)`, which is asked at each change of a count."""
        return self.tally.wait_until(lambda: reached(self), timeout)

    def _open_source(self) -> PictureSource:
        if self._source == "testsrc":
            return TestPattern(*(self._size or (1280, 720)))
        return Clip(self._source, size=self._size)

    @property
    def _authority(self) -> str:
        host = _EVERYWHERE.get(self._host, self._host)
        return f"[{host}]:{self._port}" if ":" in host else f"{host}:{self._port}"
