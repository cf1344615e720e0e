"""What the sender tells of a frame that is traced."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from typing import cast

import pytest

from sender.books import Ledger
from sender.endpoint import Endpoint
from sender.poster import Poster
from sender.reader import CapturedFrame
from sender.traces import Traces
from shared.http_client import NoReply, Reply
from shared.latest import Latest
from shared.spans import Span, Spans
from shared.traceparent import TraceParent
from tests.conftest import MakeFrame
from tests.sender.doubles import FakeClient, FakePicture, reply


class KeptSpans:
    """Stands in for Spans: makes them at once."""

    def __init__(self, *, picks: bool = True) -> None:
        self._picks = picks
        self.frames: list[dict[str, Span]] = []

    def sample(self) -> bool:
        return self._picks

    def add(self, make: Callable[[], Iterable[Span]]) -> None:
        self.frames.append({span.name: span for span in make()})


class WaitingSpans:
    """Stands in for Spans whose collector is slow: makes none."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], Iterable[Span]]] = []

    def sample(self) -> bool:
        return True

    def add(self, make: Callable[[], Iterable[Span]]) -> None:
        self.waiting.append(make)


def send(spans: KeptSpans, *answers: Reply | NoReply, whole: bool = False) -> FakeClient:
    """Send one frame, as often as there are answers."""
    slot: Latest[CapturedFrame] = Latest(1)
    place = slot.reader()
    client = FakeClient(*answers)
    poster = Poster(
        *("cam1", place, client),
        endpoint=Endpoint.parse("http://h", "cam1"),
        ledger=Ledger(place),
        whole=whole,
        traces=Traces(cast(Spans, spans)),
    )
    slot.put(
        CapturedFrame(
            camera="cam1",
            epoch="e1",
            seq=7,
            captured=time.monotonic() - 0.5,
            picture=FakePicture(),
        )
    )
    for count in range(1, len(answers) + 1):
        while len(client.posts) < count:  # after trouble it rests
            poster.step()
    poster.close()
    return client


def test_the_receiver_is_told_what_its_part_hangs_on() -> None:
    spans = KeptSpans()
    client = send(spans, reply())

    (frame,) = spans.frames
    given = TraceParent.parse(client.posts[0][2]["traceparent"])
    assert given == frame["post"].place
    assert set(frame) == {"frame", "slot", "encode", "post"}
    assert frame["slot"].end - frame["slot"].start == pytest.approx(0.5, abs=0.2)
    assert frame["frame"].start == pytest.approx(frame["slot"].start, abs=1e-3)
    assert frame["frame"].attributes == {
        "framepost.camera": "cam1",
        "framepost.epoch": "e1",
        "framepost.seq": 7,
        "framepost.outcome": "posted",
    }


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [(reply(503), "503"), (NoReply("no reply within 5 s", reason="timeout"), "timeout")],
)
def test_a_frame_that_was_not_taken_says_why(answer: Reply | NoReply, outcome: str) -> None:
    spans = KeptSpans()
    send(spans, answer)

    (frame,) = spans.frames
    assert frame["frame"].attributes["framepost.outcome"] == outcome
    assert frame["post"].error == f"not taken: {outcome}"


def test_a_frame_that_is_tried_again_is_one_trace_with_its_last_outcome() -> None:
    spans = KeptSpans()
    client = send(spans, reply(503, Retry_After="0"), reply(), whole=True)

    assert len(client.posts) == 2
    assert client.posts[0][2]["traceparent"] == client.posts[1][2]["traceparent"]
    (frame,) = spans.frames
    assert frame["frame"].attributes["framepost.outcome"] == "posted"


def test_most_frames_have_no_trace() -> None:
    spans = KeptSpans(picks=False)
    client = send(spans, reply())

    assert spans.frames == []
    assert "traceparent" not in client.posts[0][2]


def test_frames_that_wait_for_the_collector_hold_no_picture(make_frame: MakeFrame) -> None:
    spans = WaitingSpans()
    frame = make_frame(7)
    data, before = frame.data, sys.getrefcount(frame.data)
    trace = Traces(cast(Spans, spans)).begin(encode_started=1.0, encoded=2.0)
    assert trace is not None

    trace.end(frame, "posted", posting=(2.0, 3.0))
    del frame

    assert sys.getrefcount(data) == before - 1  # the frame's own is gone
    (make,) = spans.waiting
    assert {span.name for span in make()} == {"frame", "slot", "encode", "post"}
