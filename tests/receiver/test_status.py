from __future__ import annotations

import time
from collections.abc import Sequence

import pytest
from flask.testing import FlaskClient

from receiver import health
from receiver.app import create_app
from receiver.hub import Hub
from receiver.metrics import Metrics
from receiver.result import Result
from shared import codec, pattern, wire
from shared.clock import Exchange
from shared.frame import EncodedFrame
from tests.conftest import MakeFrame


def process(hub: Hub, make_frame: MakeFrame, seq: int = 0, **result: object) -> None:
    hub.publish(make_frame(seq))
    camera = hub.get("cam1")
    assert camera is not None
    frame = camera.pending.take()
    assert frame is not None
    values = {"state": "processed", "value": {"boxes": 2}} | result
    camera.finish(
        Result(frame=frame, picture=frame, queue=0.001, decode=0.002, hook=0.003, **values)  # type: ignore[arg-type]
    )


def newest(hub: Hub) -> EncodedFrame:
    camera = hub.get("cam1")
    assert camera is not None
    frame = camera.latest.peek()
    assert frame is not None
    return frame


def test_a_camera_is_described_as_the_contract_says(
    client: FlaskClient, hub: Hub, make_frame: MakeFrame
) -> None:
    process(hub, make_frame)
    hub.publish(make_frame(1))

    camera = client.get("/cameras/cam1").json or {}

    assert camera["state"] == "live"
    assert (camera["epoch"], camera["seq"]) == ("e1", 1)
    assert (camera["width"], camera["height"]) == (160, 120)
    assert camera["received"] == 2
    assert camera["processed"] == 1
    assert camera["waiting"] == 1
    assert camera["result"] == {"boxes": 2}
    assert set(camera["latency"]) == {"queue", "decode", "hook", "total"}
    assert camera["latency"]["hook"]["p50"] == 3.0


def test_the_sender_s_clock_is_described(
    client: FlaskClient, hub: Hub, make_frame: MakeFrame
) -> None:
    now = time.time()
    behind = Exchange(sent=now - 5, received=now, replied=now, seen=now - 4.99)
    headers = wire.to_headers(make_frame(captured_at=now - 5)) | {
        wire.SENT_AT: wire.format_time(now - 5),
        wire.LAST_EXCHANGE: wire.format_exchange(behind),
    }
    client.post("/cameras/cam1/frames", data=make_frame().data, headers=headers)

    clock = (client.get("/cameras/cam1").json or {})["clock"]
    assert clock["offset_ms"] == pytest.approx(4995, abs=1)
    assert 5 <= clock["error_ms"] < 10
    assert (clock["jumps"], clock["skew"], clock["absurd"]) == (0, 0, 0)
    frame = newest(hub)
    assert frame.clock_offset == pytest.approx(4.995, abs=0.001)
    text = client.get("/metrics").text
    assert 'framepost_clock_offset_seconds{camera="cam1"} 4.99' in text
    assert 'framepost_clock_error_seconds{camera="cam1"} 0.00' in text
    assert 'framepost_clock_jumps_total{camera="cam1"} 0.0' in text
    assert 'framepost_frame_age_seconds_bucket{camera="cam1",le="0.5"} 1.0' in text


def test_a_frame_from_the_future_is_counted_and_new(client: FlaskClient) -> None:
    future = wire.format_time(time.time() + 60)
    picture = codec.encode(pattern.draw(5, 160, 120), 80)
    client.post("/cameras/cam1/frames", data=picture, headers={wire.CAPTURED_AT: future})

    clock = (client.get("/cameras/cam1").json or {})["clock"]
    assert (clock["offset_ms"], clock["skew"]) == (None, 1)
    text = client.get("/metrics").text
    assert 'framepost_frames_skewed_total{camera="cam1"} 1.0' in text
    assert 'framepost_frame_age_seconds_bucket{camera="cam1",le="0.5"} 1.0' in text
    assert 'framepost_clock_offset_seconds{camera="cam1"}' not in text


def test_a_frozen_camera_is_told_everywhere(
    client: FlaskClient, hub: Hub, make_frame: MakeFrame
) -> None:
    hub.publish(make_frame(1))
    still = make_frame(2)
    camera = hub.get("cam1")
    assert camera is not None
    for ago in (6, 4, 2, 0):
        camera._stillness.look(still, time.monotonic() - ago)

    assert (client.get("/cameras/cam1").json or {})["state"] == "frozen"
    text = client.get("/metrics").text
    assert 'framepost_camera_frozen{camera="cam1"} 1.0' in text
    assert 'framepost_camera_live{camera="cam1"} 1.0' in text


def test_a_frame_without_a_time_has_our_own(
    client: FlaskClient, hub: Hub, make_frame: MakeFrame
) -> None:
    now = time.time()
    ahead = Exchange(sent=now + 5, received=now, replied=now, seen=now + 5.01)
    for headers in ({wire.LAST_EXCHANGE: wire.format_exchange(ahead)}, {}):
        client.post("/cameras/cam1/frames", data=make_frame().data, headers=headers)

        frame = newest(hub)
        assert (frame.clock_offset, frame.age() < 3) == (0, True)


def test_all_cameras_are_listed_by_name(
    client: FlaskClient, hub: Hub, make_frame: MakeFrame
) -> None:
    for name in ("b", "a"):
        hub.publish(make_frame(camera=name))

    answer = client.get("/cameras").json or {}

    assert [camera["camera"] for camera in answer["cameras"]] == ["a", "b"]


def test_the_newest_result_has_a_route(
    client: FlaskClient, hub: Hub, make_frame: MakeFrame
) -> None:
    assert client.get("/cameras/cam1/result").status_code == 404
    hub.publish(make_frame(0))
    assert client.get("/cameras/cam1/result").status_code == 204
    process(hub, make_frame, 1)

    result = client.get("/cameras/cam1/result").json or {}

    assert (result["seq"], result["state"], result["result"]) == (1, "processed", {"boxes": 2})
    assert result["timings"].items() >= {"queue": 1.0, "decode": 2.0, "hook": 3.0}.items()


def test_an_unknown_camera_is_a_problem(client: FlaskClient) -> None:
    answer = client.get("/cameras/nobody")

    assert answer.status_code == 404
    assert "'nobody'" in (answer.json or {})["detail"]


def test_health_tells_what_is_wrong(metrics: Metrics) -> None:
    wrong: list[str] = []

    def dead() -> Sequence[str]:
        return wrong

    bp = health.blueprint(registry=metrics.registry, hooks=list, alive=dead, ready=list)
    client = create_app([bp], max_bytes=1000).test_client()
    assert client.get("/healthz").status_code == 200

    wrong.append("hook motion: its worker died")

    for route in ("/healthz", "/readyz"):
        answer = client.get(route)
        assert answer.status_code == 503
        assert (answer.json or {})["problems"] == wrong


def test_the_books_are_in_the_metrics(client: FlaskClient, hub: Hub, make_frame: MakeFrame) -> None:
    process(hub, make_frame)
    process(hub, make_frame, 1, state="failed", value=None, error="ValueError: no")
    client.post("/cameras/cam1/frames", data=b"nonsense")

    text = client.get("/metrics").text

    for line in (
        'framepost_frames_received_total{camera="cam1"} 2.0',
        'framepost_frames_processed_total{camera="cam1"} 1.0',
        'framepost_frames_failed_total{camera="cam1"} 1.0',
        'framepost_frames_waiting{camera="cam1"} 0.0',
        'framepost_frames_refused_total{camera="cam1",reason="format"} 1.0',
        'framepost_frame_age_seconds_count{camera="cam1"} 2.0',
        'framepost_stage_seconds_count{camera="cam1",stage="hook"} 2.0',
    ):
        assert line in text


def test_a_forgotten_camera_leaves_the_metrics(make_frame: MakeFrame, metrics: Metrics) -> None:
    frame = make_frame()
    metrics.received(frame)
    metrics.forgotten("cam1")
    # The hook had that one still.
    metrics.finished(
        Result(frame=frame, picture=frame, state="processed", queue=0.1, decode=0.1, hook=0.1)
    )

    samples = [sample for family in metrics.registry.collect() for sample in family.samples]
    assert [sample for sample in samples if "camera" in sample.labels] == []
