"""Running: the threads and sockets of a camera between its start and its stop."""

from __future__ import annotations

from collections.abc import Callable

from camera.encoder import check_size
from camera.faults import Faults
from camera.loop import LoopThread
from camera.packets import RtpFrame
from camera.server import Server
from camera.source import PictureSource
from camera.stream import Stream
from camera.tally import Tally


class Running:
    """A stream's thread that makes frames, and a loop's thread that serves them.

    Takes over `source`. Raise OSError when the port is not to be had, ValueError for a size that
    the codec does not carry. Its methods may be called from any thread but the loop's.
    """

    def __init__(
        self,
        source: PictureSource,
        *,
        host: str,
        port: int,
        codec: str,
        fps: float,
        gop: int,
        bitrate: int | None,
        login: tuple[str, str] | None,
        timeout: float,
        faults: Faults,
        tally: Tally,
        on_frame: Callable[[int], None],
    ) -> None:
        self._tally = tally
        self._on_frame = on_frame
        try:
            check_size(codec, source.width, source.height)
            self.stream = Stream(
                source,
                self._push,
                codec=codec,
                fps=fps,
                gop=gop,
                bitrate=bitrate,
                faults=faults,
                first=tally.frames,
            )
        except ValueError:
            source.close()
            raise
        self._server = Server(self.stream, login=login, faults=faults, tally=tally, timeout=timeout)
        self._host = host
        self._loop = LoopThread("camera server")
        try:
            self.port = self._loop.run(self._server.open(host, port))
        except OSError:
            self._loop.stop()
            self.stream.close()
            raise

    @property
    def error(self) -> BaseException | None:
        """What killed a thread, or None while all is well."""
        return self.stream.error or self._loop.error

    def stop(self) -> None:
        """End the threads and close every socket; returns when they are gone."""
        self.stream.stop()
        self._loop.run(self._server.close())
        self._loop.stop()

    def drop(self) -> None:
        """Cut every connection."""
        self._loop.call(self._server.drop)

    def refuse(self) -> None:
        """Stop listening; connections that are open go on."""
        self._loop.run(self._server.refuse())

    def listen(self) -> None:
        """Listen again, on the same port; harmless when it does."""
        if not self._server.listening:
            self._loop.run(self._server.listen(self._host, self.port))

    def _push(self, frame: RtpFrame) -> None:
        self._loop.post(self._server.broadcast, frame)
        self._tally.add(frames=1)
        self._on_frame(self._tally.frames)
