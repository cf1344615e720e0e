"""Encoder: makes a captured frame the picture that is sent, and tells what that cost."""

from __future__ import annotations

import time
from collections.abc import Callable

from sender import picture as pictures
from sender.limits import Limits
from sender.picture import Form
from sender.reader import CapturedFrame
from sender.stopwatch import Stopwatch
from sender.traces import FrameTrace, Traces
from shared.frame import EncodedFrame


class Encoder:
    """Encodes one camera's frames within its `limits`. For one thread."""

    def __init__(
        self,
        camera: str,
        limits: Limits,
        *,
        form: Form = "jpeg",
        stopwatch: Stopwatch | None = None,
        traces: Traces | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._camera = camera
        self._limits = limits
        self._form = form
        self._stopwatch = stopwatch
        self._traces = traces
        self._clock = clock
        #: Of the frame that was encoded last, where it is traced.
        self.trace: FrameTrace | None = None

    def encode(self, captured: CapturedFrame) -> EncodedFrame:
        """Return the frame in the form that is sent.

        Raise FrameError when its bytes turn out not to decode.
        """
        picture = captured.picture
        width, height = self._limits.size_of(picture.width, picture.height)
        started = self._clock()
        if self._stopwatch is not None:
            self._stopwatch.waited(self._camera, started - captured.captured)
        data, media_type = pictures.encode(
            picture, self._form, quality=self._limits.quality, size=(width, height)
        )
        encoded = self._clock()
        if self._stopwatch is not None:
            self._stopwatch.encoded(self._camera, encoded - started)
        if self._traces is not None:
            self.trace = self._traces.begin(encode_started=started, encoded=encoded)
        return EncodedFrame(
            camera=captured.camera,
            epoch=captured.epoch,
            seq=captured.seq,
            captured_at=time.time() - (self._clock() - captured.captured),
            data=data,
            width=width,
            height=height,
            media_type=media_type,
            arrived=captured.captured,
            trace=None if self.trace is None else str(self.trace.post),
        )
