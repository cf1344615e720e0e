from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from receiver.app import create_app
from receiver.feeds import events
from receiver.feeds.events import Events
from receiver.feeds.journal import Journal
from shared.seats import Seats
from tests.receiver.feeds.conftest import MakeResult


class Stage:
    """The route on a test client. What it answers is closed at the end."""

    def __init__(self, *, seats: int = 2, heartbeat: float = 30.0) -> None:
        self.journal = Journal(limit=50)
        self.seats = Seats(seats)
        self.events = Events(self.journal, seats=self.seats, heartbeat=heartbeat)
        app = create_app([events.blueprint(self.events)], max_bytes=1000)
        self.client: FlaskClient = app.test_client()
        self._open: list[TestResponse] = []

    def get(
        self, path: str = "/events", *, after: str | None = None, method: str = "GET"
    ) -> TestResponse:
        headers = {} if after is None else {"Last-Event-ID": after}
        response = self.client.open(path, method=method, headers=headers)
        self._open.append(response)
        return response

    def metric(self, name: str) -> float:
        return {
            sample.name: sample.value
            for metric in self.events.collect()
            for sample in metric.samples
        }[name]

    def close(self) -> None:
        for response in self._open:
            response.close()


@pytest.fixture
def stage() -> Iterator[Stage]:
    stage = Stage()
    yield stage
    stage.close()


def parts(response: TestResponse) -> Iterator[str]:
    return (part.decode() for part in response.iter_encoded())


def test_the_stream_says_that_it_is_one_and_must_not_be_kept(stage: Stage) -> None:
    response = stage.get()

    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/event-stream"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Accel-Buffering"] == "no"


def test_a_result_is_one_event_of_one_line(stage: Stage, make_result: MakeResult) -> None:
    came = parts(stage.get())
    assert next(came) == "retry: 1000\n\n"
    assert next(came) == f"id: {stage.journal.format_id(0)}\n\n"

    result = make_result(3, value={"text": "a\n\ndata: b\r\n</script>\u2028"})
    stage.journal.finished(result)

    name, kind, data, *end = next(came).split("\n")
    assert name == f"id: {stage.journal.format_id(1)}"
    assert kind == "event: result"
    assert json.loads(data.removeprefix("data: ")) == result.facts()
    assert end == ["", ""]


def test_what_was_lost_is_an_event_of_its_own(stage: Stage, make_result: MakeResult) -> None:
    for seq in range(60):
        stage.journal.finished(make_result(seq))
    came = parts(stage.get(after=stage.journal.format_id(3)))
    next(came)

    assert next(came) == (
        f"id: {stage.journal.format_id(10)}\nevent: skipped\n"
        'data: {"skipped": 7, "reason": "expired"}\n\n'
    )
    assert next(came).startswith(f"id: {stage.journal.format_id(11)}\n")
    assert stage.metric("framepost_events_skipped_total") == 7


def test_an_id_from_before_a_restart_is_answered_with_what_is_held(
    stage: Stage, make_result: MakeResult
) -> None:
    stage.journal.finished(make_result())
    came = parts(stage.get(after="0badcafe-17"))
    next(came)

    assert next(came) == (
        f"id: {stage.journal.format_id(0)}\nevent: skipped\n"
        'data: {"skipped": null, "reason": "restarted"}\n\n'
    )
    assert next(came).startswith(f"id: {stage.journal.format_id(1)}\n")


def test_browsers_without_headers_give_the_id_as_a_parameter(
    stage: Stage, make_result: MakeResult
) -> None:
    for seq in range(3):
        stage.journal.finished(make_result(seq))
    came = parts(stage.get(f"/events?lastEventId={stage.journal.format_id(1)}"))
    next(came), next(came)

    assert next(came).startswith(f"id: {stage.journal.format_id(2)}\n")


@pytest.mark.parametrize("query", ["camera=b,c", "camera=b&camera=c", "camera=b, c"])
def test_certain_cameras_may_be_asked_for(
    query: str, stage: Stage, make_result: MakeResult
) -> None:
    came = parts(stage.get(f"/events?{query}"))
    next(came), next(came)
    for camera in "abc":
        stage.journal.finished(make_result(camera=camera))

    assert '"camera":"b"' in next(came)
    assert '"camera":"c"' in next(came)


@pytest.mark.parametrize("query", ["camera=", "camera=a,,b", "camera=../x"])
def test_what_cannot_name_a_camera_is_refused(query: str, stage: Stage) -> None:
    response = stage.get(f"/events?{query}")

    assert response.status_code == 400
    assert response.get_json()["detail"].startswith("camera: expected 1 to 64 letters")
    assert stage.seats.taken == 0


def test_silence_is_filled_with_comments(make_result: MakeResult) -> None:
    stage = Stage(heartbeat=0.01)
    came = parts(stage.get())
    next(came), next(came)

    assert [next(came), next(came)] == [":\n\n", ":\n\n"]
    stage.journal.finished(make_result())
    assert next(came).startswith("id: ")
    stage.close()


def test_each_reader_holds_a_seat_until_it_leaves(stage: Stage) -> None:
    first, second = stage.get(), stage.get()
    next(parts(first))
    refused = stage.get()

    assert refused.status_code == 503
    assert refused.headers["Retry-After"] == "5"
    assert "at most 2 clients" in refused.get_json()["detail"]
    assert stage.metric("framepost_event_readers") == 2

    first.close()
    second.close()  # before it read a byte
    assert stage.seats.taken == 0
    assert stage.metric("framepost_event_readers") == 0
    assert stage.get().status_code == 200


def test_a_hundred_readers_cost_one_encoding(
    make_result: MakeResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded: list[object] = []
    dumps = json.dumps

    def count(value: object, **options: Any) -> str:
        encoded.append(value)
        return dumps(value, **options)

    monkeypatch.setattr(json, "dumps", count)
    stage = Stage(seats=100)
    readers = [parts(stage.get()) for _ in range(100)]
    for came in readers:
        next(came), next(came)
    stage.journal.finished(make_result())

    assert len({next(came) for came in readers}) == 1
    assert len(encoded) == 1
    stage.close()


def test_a_head_request_holds_no_seat(stage: Stage) -> None:
    response = stage.get(method="HEAD")

    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/event-stream"
    assert stage.seats.taken == 0


def test_the_stream_ends_when_the_hub_does(stage: Stage, make_result: MakeResult) -> None:
    came = parts(stage.get())
    next(came), next(came)
    stage.journal.finished(make_result())
    stage.journal.closed()

    assert len(list(came)) == 1
