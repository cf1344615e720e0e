"""Stream: the thread that makes frames while somebody watches, once for all clients.

Each is made a little ahead and pushed when it is due, with that moment drawn in it: the time in the
picture is the time at which a client could have it at the earliest.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from camera import sdp
from camera.encoder import Encoder, check_size, open_encoder
from camera.faults import Faults
from camera.pace import Pace
from camera.packets import CLOCK, Packetiser, RtpFrame
from camera.source import PictureSource
from shared.codec import Image
from shared.worker import Worker

#: The share of a frame's interval that it may take to make the frame.
_LEAD = 0.5


class Stream(Worker):
    """Draw, encode, packetise, push. Owns `source`, whose pictures it numbers from `first`."""

    def __init__(
        self,
        source: PictureSource,
        push: Callable[[RtpFrame], None],
        *,
        codec: str,
        fps: float,
        gop: int,
        bitrate: int | None,
        faults: Faults,
        first: int = 0,
    ) -> None:
        super().__init__("camera stream")
        self._source = source
        self._push = push
        self._codec = codec
        self._fps = fps
        self._gop = gop
        self._bitrate = bitrate
        self._faults = faults
        self._number = first
        self._pace = Pace(fps)
        self._rtp_origin = secrets.randbits(31)
        self._lock = threading.Lock()
        self._watched = False
        self._wanted = threading.Event()
        self._key_wanted = threading.Event()
        self._size: tuple[int, int] | None = None
        self._next_codec: str | None = None
        self._last: Image | None = None
        self._encoder = self._open_encoder()
        self._packetiser = Packetiser(codec, source.width, source.height)

    def watch(self, watched: bool) -> None:
        """Say whether anybody watches; frames are made only then. Any thread."""
        with self._lock:
            self._watched = watched
            self._decide()

    def heed_faults(self) -> None:
        """Look at the faults again, after they changed. Any thread."""
        with self._lock:
            self._decide()

    def want_key(self) -> None:
        """Make the next frame one that a decoder can start at. Any thread."""
        self._key_wanted.set()

    def resize(self, width: int, height: int) -> None:
        """Make frames of another size from the next one on; ValueError when impossible."""
        self._source.check_size(width, height)
        check_size(self._codec, width, height)
        self._size = (width, height)

    def recode(self, codec: str) -> None:
        """Encode in another way from the next frame on; ValueError when impossible. Any thread."""
        check_size(codec, *(self._size or (self._source.width, self._source.height)))
        self._next_codec = codec

    def leap(self, seconds: float) -> None:
        """Have the timestamps jump by so much, forward or back. Any thread."""
        self._rtp_origin += round(seconds * CLOCK)

    def wrap(self, within: float = 1.0) -> None:
        """Have the timestamps reach the end of their 32 bits, and begin anew. Any thread."""
        self._rtp_origin = round((-within - time.monotonic()) * CLOCK)

    @property
    def summary(self) -> str:
        """What the frames are, in words."""
        return f"{self._codec} {self._source.width}x{self._source.height} at {self._fps:g} fps"

    def describe(self, host: str) -> str:
        """Return the SDP of the frames made now."""
        with self._lock:
            codec, parameters = self._codec, self._encoder.parameters
        return sdp.describe(codec, parameters, host=host, fps=self._fps)

    def step(self) -> None:
        if not self._wanted.is_set():
            self._pace.rest()
            self._wanted.wait(1.0)
            return
        due = self._pace.next()
        self.pause(max(0.0, due - _LEAD / self._fps - time.monotonic()))
        if self.stopping:
            return
        frame = self._make(due)
        self.pause(max(0.0, due - time.monotonic()))
        if self._wanted.is_set() and not self.stopping:
            self._number += 1
            self._push(frame)
        else:
            # The encoder went on without the clients.
            self._key_wanted.set()

    def wake(self) -> None:
        self._wanted.set()

    def close(self) -> None:
        self._packetiser.close()
        self._source.close()

    def _make(self, due: float) -> RtpFrame:
        key = self._key_wanted.is_set()
        self._key_wanted.clear()
        if self._size is not None or self._next_codec is not None:
            self._change()
        now = time.monotonic()
        zero = time.time() - now
        if self._last is None or not self._faults.frozen:
            self._last = self._source.read(self._number, zero + max(due, now))
        picture = self._encoder.encode(self._last, key=key)
        frame = self._packetiser.cut(
            picture.data,
            key=picture.key,
            rtp_time=0 if self._faults.timeless else self._rtp_origin + round(due * CLOCK),
            # Not what is drawn in one that is late: the reports are to tie the two clocks together.
            captured_at=zero + due,
        )
        if (corruption := self._faults.corruption) is not None:
            packets = filter(None, map(corruption.damage, frame.packets))
            frame = replace(frame, packets=tuple(packets))
        return frame

    def _change(self) -> None:
        """Go on with another size or codec."""
        if self._size is not None:
            self._source.width, self._source.height = self._size
            self._size = self._last = None
        codec, self._next_codec = self._next_codec or self._codec, None
        with self._lock:
            self._codec = codec
            self._encoder = self._open_encoder()
        self._packetiser.change(codec, self._source.width, self._source.height)

    def _decide(self) -> None:
        if self._watched and not (self._faults.stalled or self._faults.silent):
            self._wanted.set()
        elif not self.stopping:
            self._wanted.clear()

    def _open_encoder(self) -> Encoder:
        return open_encoder(
            self._codec,
            self._source.width,
            self._source.height,
            fps=self._fps,
            gop=self._gop,
            bitrate=self._bitrate,
        )
