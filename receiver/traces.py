"""Traces: where the time of some frames went, from their receipt to what became of them."""

from __future__ import annotations

import time

from receiver.result import Result
from receiver.ticket import Settlement, Ticket
from shared.frame import EncodedFrame
from shared.spans import Span, Spans, to_unix
from shared.traceparent import TraceParent


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
            frame, parent, ended = self._frame, self._parent, time.monotonic()
            self._spans.add(lambda: spans_of(frame, parent, state, result, ended))
        super().settle(state, result)


def spans_of(
    frame: EncodedFrame,
    parent: TraceParent | None,
    state: Settlement,
    result: Result | None,
    ended: float,
) -> list[Span]:
    """Return the frame's spans: all of it, and of one that a hook had the stages `queue`, `decode`
    and `hook` in it. `ended` is monotonic seconds.
    """
    place = parent.child() if parent else TraceParent.begin()
    start = to_unix(frame.arrived)
    spans = [
        Span(
            name="receive",
            place=place,
            parent=parent,
            start=start,
            end=to_unix(ended),
            kind="server",
            attributes={
                "framepost.camera": frame.camera,
                "framepost.epoch": frame.epoch,
                "framepost.seq": frame.seq,
                "framepost.outcome": state,
            },
            error=result.error if result else None,
        )
    ]
    for name in ("queue", "decode", "hook") if result else ():
        end = start + getattr(result, name)
        error = result.error if result and name == "hook" else None
        spans.append(
            Span(name=name, place=place.child(), parent=place, start=start, end=end, error=error)
        )
        start = end
    return spans
