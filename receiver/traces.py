"""Traces: where the time of some frames went, from their receipt to what became of them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from receiver.result import Result
from receiver.ticket import Settlement, Ticket
from shared.frame import EncodedFrame
from shared.spans import Span, Spans, to_unix
from shared.traceparent import TraceParent

#: Of a frame that a hook had, one after the other.
_STAGES = ("queue", "decode", "hook")


class Traces:
    """Goes on with the traces that frames bring, and begins some of its own. Any thread."""

    def __init__(self, spans: Spans) -> None:
        self._spans = spans

    def ticket(self, frame: EncodedFrame) -> Ticket | None:
        """Return a ticket that tells of the frame when it is settled; None where nobody asked."""
        parent = TraceParent.parse(frame.trace)
        if not (parent.is_sampled if parent else self._spans.sample()):
            return None
        return _TracedTicket(self._spans, frame, parent)


class _TracedTicket(Ticket):
    def __init__(self, spans: Spans, frame: EncodedFrame, parent: TraceParent | None) -> None:
        super().__init__()
        self._spans = spans
        self._frame = frame
        self._parent = parent

    def settle(self, state: Settlement, result: Result | None = None) -> None:
        if self.state is None:
            fate = _Fate.of(self._frame, state, result)
            parent = self._parent
            self._spans.add(lambda: fate.spans(parent))
        super().settle(state, result)


@dataclass(frozen=True, slots=True)
class _Fate:
    """What became of a frame. Not the frame itself: its picture would be held too."""

    attributes: Mapping[str, str | int]
    #: Monotonic seconds.
    arrived: float
    ended: float
    #: Seconds by stage; empty where no hook had it.
    stages: Mapping[str, float]
    error: str | None

    @classmethod
    def of(cls, frame: EncodedFrame, state: Settlement, result: Result | None) -> _Fate:
        return cls(
            attributes={
                "framepost.camera": frame.camera,
                "framepost.epoch": frame.epoch,
                "framepost.seq": frame.seq,
                "framepost.outcome": state,
            },
            arrived=frame.arrived,
            ended=time.monotonic(),
            stages={name: getattr(result, name) for name in _STAGES} if result else {},
            error=result.error if result else None,
        )

    def spans(self, parent: TraceParent | None) -> list[Span]:
        """Return all of the frame's way and, in it, the stages."""
        place = parent.child() if parent else TraceParent.begin()
        start = to_unix(self.arrived)
        spans = [
            Span(
                name="receive",
                place=place,
                parent=parent,
                start=start,
                end=to_unix(self.ended),
                kind="server",
                attributes=self.attributes,
                error=self.error,
            )
        ]
        for name, seconds in self.stages.items():
            end = start + seconds
            error = self.error if name == "hook" else None
            spans.append(
                Span(
                    name=name, place=place.child(), parent=place, start=start, end=end, error=error
                )
            )
            start = end
        return spans
