"""What the receiver keeps of a frame that is traced."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import cast

from receiver.result import Result
from receiver.traces import Traces
from shared.spans import Span, Spans
from tests.conftest import MakeFrame


class WaitingSpans:
    """Stands in for Spans whose collector is slow: makes none."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], Iterable[Span]]] = []

    def sample(self) -> bool:
        return True

    def add(self, make: Callable[[], Iterable[Span]]) -> None:
        self.waiting.append(make)


def test_frames_that_wait_for_the_collector_hold_no_picture(make_frame: MakeFrame) -> None:
    spans = WaitingSpans()
    frame = make_frame(7)
    data, before = frame.data, sys.getrefcount(frame.data)
    ticket = Traces(cast(Spans, spans)).ticket(frame)
    assert ticket is not None

    ticket.settle(
        "failed",
        Result(
            frame=frame,
            state="failed",
            error="it broke",
            picture=frame,
            queue=0.1,
            decode=0.2,
            hook=0.3,
        ),
    )
    del ticket, frame

    assert sys.getrefcount(data) == before - 1  # the frame's own is gone
    (make,) = spans.waiting
    found = {span.name: span for span in make()}
    assert set(found) == {"receive", "queue", "decode", "hook"}
    assert found["receive"].attributes["framepost.seq"] == 7
    assert found["receive"].error == found["hook"].error == "it broke"
    assert found["decode"].error is None
