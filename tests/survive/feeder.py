"""Feeder: posts frames of one camera to a receiver at a steady rate, and counts what was taken."""

from __future__ import annotations

import http.client
import threading
import time
import uuid
from collections import Counter
from types import TracebackType
from typing import Self

from shared import codec, pattern

_JPEG = codec.encode(pattern.draw(1, 320, 240), 80)


class Feeder:
    """A thread with one connection; each feeder is an epoch. Leaving ends it."""

    def __init__(self, port: int, camera: str, *, fps: float) -> None:
        #: By status; 0 is no answer.
        self.statuses: Counter[int] = Counter()
        self._port, self._camera, self._pause = port, camera, 1 / fps
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._feed, name=f"feeder of {camera}")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def _feed(self) -> None:
        line = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        epoch, seq, due = uuid.uuid4().hex, 0, time.monotonic()
        while not self._over.wait(max(0.0, due - time.monotonic())):
            # A feeder that was held up does not hurry after.
            due = max(due, time.monotonic() - self._pause) + self._pause
            headers = {
                "Content-Type": "image/jpeg",
                "X-Frame-Epoch": epoch,
                "X-Frame-Seq": str(seq),
                "X-Timestamp": f"{time.time():.6f}",
            }
            seq += 1
            try:
                line.request("POST", f"/cameras/{self._camera}/frames", _JPEG, headers)
                reply = line.getresponse()
                reply.read()
                self.statuses[reply.status] += 1
            except (OSError, http.client.HTTPException):
                self.statuses[0] += 1
                line.close()
        line.close()
