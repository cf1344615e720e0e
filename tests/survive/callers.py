"""Callers: everybody who may want something of a receiver at the same time, and what they got."""

from __future__ import annotations

import http.client
import select
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from shared import codec, pattern

_JPEG = codec.encode(pattern.draw(1, 640, 360), 80)
_PATIENCE = 60.0
#: Seconds between two requests of a caller.
_PAUSE = 0.01
#: Whole answers of each caller before everybody is said to be there.
_GREETINGS = 3


class Callers:
    """Five viewers and two readers of `/live`; four who post, four who wait for a result. Each has
    a thread, comes again when it is told to, and goes on until nobody listens any more.
    """

    def __init__(self) -> None:
        #: Of whole answers.
        self.statuses: Counter[int] = Counter()
        #: Streams that came to an end that was said, not to a cut.
        self.ended = 0
        #: What got no answer, or half of one, in words.
        self.cut: list[str] = []
        self._port = 0
        self._greeted: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []

    def attach(self, port: int) -> None:
        """Begin; return when everybody has got something."""
        self._port = port
        self._post_one()
        wait = {"Prefer": "wait=5"}
        for number in range(4):
            self._start(f"post {number}", self._call, "frames", {})
            self._start(f"wait {number}", self._call, "frames?mode=every", wait)
        for number in range(5):
            self._start(f"view {number}", self._watch, "/cameras/cam1/stream.mjpg")
        for number in range(2):
            self._start(f"live {number}", self._watch, "/live")
        deadline = time.monotonic() + _PATIENCE
        while any(self._greeted[one.name] < _GREETINGS for one in self._threads):
            assert time.monotonic() < deadline, f"so far were there {self._greeted}, {self.cut}"
            time.sleep(0.01)

    def leave(self) -> None:
        """Wait until everybody noticed that nobody listens any more."""
        for thread in self._threads:
            thread.join(_PATIENCE)
            assert not thread.is_alive(), f"{thread.name} is still answered"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        self.leave()

    @property
    def streams(self) -> int:
        return sum(one.name.startswith(("view", "live")) for one in self._threads)

    def _start(self, name: str, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=(name, *arguments), name=name)
        self._threads.append(thread)
        thread.start()

    def _post_one(self) -> None:
        """Post a frame, so that there is a camera."""
        line = self._line()
        line.request("POST", "/cameras/cam1/frames", _JPEG, {"Prefer": "wait=30"})
        line.getresponse().read()
        line.close()

    def _line(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self._port, timeout=_PATIENCE)

    def _call(self, name: str, path: str, headers: Mapping[str, str]) -> None:
        """Post again and again, on one connection for as long as the other side keeps it."""
        line = self._line()
        asked, pause = 0, _PAUSE
        while not self._over.wait(pause):
            try:
                if line.sock is not None and select.select([line.sock], [], [], 0)[0]:
                    line.close()  # the other side ended it, as every client looks for
                if line.sock is None:
                    asked = 0
                    line.connect()
            except OSError:
                return  # nobody listens: nothing was asked
            try:
                line.request("POST", f"/cameras/cam1/{path}", _JPEG, headers)
                reply = line.getresponse()
                reply.read()
            except (OSError, http.client.HTTPException) as exc:
                self._note_cut(f"{name}, request {asked} of its connection: {exc!r}")
                break
            asked += 1
            pause = float(reply.headers.get("Retry-After", _PAUSE))
            with self._lock:
                self.statuses[reply.status] += 1
                self._greeted[name] += 1
        line.close()

    def _watch(self, name: str, path: str) -> None:
        """Read what comes until its end."""
        line = self._line()
        try:
            line.request("GET", path)
            reply = line.getresponse()
            # Else its end could not be told from a cut (RFC 9112, section 8).
            assert reply.chunked, f"{path}: {reply.status} is not chunked"
            while reply.read1(65536):
                self._greeted[name] += 1
        except (OSError, http.client.HTTPException) as exc:
            self._note_cut(f"{name}: {exc!r}")
        else:
            with self._lock:
                self.ended += 1
        line.close()

    def _note_cut(self, sentence: str) -> None:
        with self._lock:
            self.cut.append(sentence)
