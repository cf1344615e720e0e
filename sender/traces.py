"""Traces: where the time of some frames went, from their capture to the receiver's reply."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from shared.frame import EncodedFrame
from shared.spans import Span, Spans, to_unix
from shared.traceparent import TraceParent


class Traces:
    """Picks the frames that are traced. Any thread."""

    def __init__(self, spans: Spans) -> None:
        self._spans = spans

    def begin(self, *, encode_started: float, encoded: float) -> FrameTrace | None:
        """Return the trace of a frame that was just made a JPEG; None for one that has none.

        Times are monotonic seconds.
        """
        if not self._spans.sample():
            return None
        return FrameTrace(self._spans, encode_started=encode_started, encoded=encoded)


class FrameTrace:
    """One frame's trace: all of its way, and the stages `slot`, `encode` and `post` in it."""

    def __init__(self, spans: Spans, *, encode_started: float, encoded: float) -> None:
        self._spans = spans
        self._frame = TraceParent.begin()
        #: What the receiver's part hangs on.
        self.post = self._frame.child()
        self._encoding = (encode_started, encoded)

    def end(self, frame: EncodedFrame, outcome: str, *, posting: tuple[float, float]) -> None:
        """Tell of `frame`, whose POST took from the first to the second of `posting`.

        `outcome` is "posted", or why it was not taken.
        """
        # Not the frame itself: its picture would be held too.
        captured, attributes = frame.arrived, _attributes(frame, outcome)
        self._spans.add(lambda: self._make(captured, attributes, outcome, posting))

    def _make(
        self,
        captured: float,
        attributes: Mapping[str, str | int],
        outcome: str,
        posting: tuple[float, float],
    ) -> Iterator[Span]:
        error = None if outcome == "posted" else f"not taken: {outcome}"
        yield Span(
            name="frame",
            place=self._frame,
            parent=None,
            start=to_unix(captured),
            end=to_unix(posting[1]),
            attributes=attributes,
            error=error,
        )
        yield self._stage("slot", self._frame.child(), (captured, self._encoding[0]))
        yield self._stage("encode", self._frame.child(), self._encoding)
        yield replace(self._stage("post", self.post, posting), kind="client", error=error)

    def _stage(self, name: str, place: TraceParent, times: tuple[float, float]) -> Span:
        start, end = map(to_unix, times)
        return Span(name=name, place=place, parent=self._frame, start=start, end=end)


def _attributes(frame: EncodedFrame, outcome: str) -> dict[str, str | int]:
    return {
        "framepost.camera": frame.camera,
        "framepost.epoch": frame.epoch,
        "framepost.seq": frame.seq,
        "framepost.outcome": outcome,
    }
