from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from sender.endpoint import Endpoint
from sender.metrics import Metrics, PipelineCollector
from sender.pipeline import Pipeline
from sender.sources.contract import EndOfSource
from sender.supervisor import Supervisor
from sender.view.server import PortError, Server
from shared.http_client import NoReply
from tests.sender.doubles import FakeClient, ScriptedSource, reply, shot
from tests.sender.view.stage import make_server

WRONG: list[str] = []


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def pipeline(metrics: Metrics) -> Pipeline:
    """Return a pipeline whose file has ended: two posted, one refused, one failed."""
    script = [None, shot(), shot(), shot(corrupt=True), shot(), shot(), EndOfSource("over")]
    now = "1700000000.000000"
    timed = reply(202, X_Received_At=now, X_Replied_At=now)
    client = FakeClient(reply(413), NoReply("no", reason="timeout"), timed)
    pipeline = Pipeline(
        "cam1",
        lambda: ScriptedSource(script, finite=True),
        source_name="rtsp://***@h/",
        make_client=lambda: client,
        endpoint=Endpoint.parse("http://h", "cam1"),
        depth=9,
        stopwatch=metrics,
    )
    metrics.registry.register(PipelineCollector([pipeline]))
    supervisor = Supervisor([pipeline])
    supervisor.start()
    while supervisor.step() is None:
        pass
    supervisor.stop()
    return pipeline


@pytest.fixture
def server(pipeline: Pipeline, metrics: Metrics) -> Iterator[Server]:
    WRONG.clear()
    with make_server(
        registry=metrics.registry, cameras=lambda: [pipeline.status()], alive=lambda: WRONG
    ) as server:
        yield server


def get(server: Server, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}", timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as exc:
        with exc:
            return exc.code, exc.read().decode()


def test_health_tells_what_is_wrong(server: Server) -> None:
    assert get(server, "/healthz") == (200, '{"status": "alive", "problems": []}')

    WRONG.append("camera cam1: one of its threads died")

    status, body = get(server, "/healthz")
    assert status == 503
    assert json.loads(body)["problems"] == WRONG


def test_the_status_is_json_for_each_camera(server: Server) -> None:
    status, body = get(server, "/status?x=1")

    assert status == 200
    camera = json.loads(body)["cameras"][0]
    assert (camera["camera"], camera["state"]) == ("cam1", "ended")
    assert camera["source"] == "rtsp://***@h/"
    assert camera["refused"] == {"413": 1}
    assert camera["failed"] == {"timeout": 1}
    assert camera["captured"] == camera["posted"] + 2 == 4


def test_the_books_are_in_the_metrics(server: Server) -> None:
    _, text = get(server, "/metrics")

    for line in (
        'framepost_sender_frames_captured_total{camera="cam1"} 4.0',
        'framepost_sender_frames_posted_total{camera="cam1"} 2.0',
        'framepost_sender_frames_superseded_total{camera="cam1"} 0.0',
        'framepost_sender_frames_refused_total{camera="cam1",status="413"} 1.0',
        'framepost_sender_frames_failed_total{camera="cam1",reason="timeout"} 1.0',
        'framepost_sender_frames_corrupt_total{camera="cam1"} 1.0',
        'framepost_sender_frames_thinned_total{camera="cam1"} 0.0',
        'framepost_sender_frames_waiting{camera="cam1"} 0.0',
        'framepost_sender_reconnects_total{camera="cam1"} 0.0',
        'framepost_sender_up{camera="cam1"} 0.0',
        'framepost_sender_clock_jumps_total{camera="cam1"} 0.0',
        'framepost_sender_encode_seconds_count{camera="cam1"} 4.0',
        'framepost_sender_post_seconds_count{camera="cam1"} 2.0',
    ):
        assert line in text
    for gauge in ("frame_age_seconds", "clock_offset_seconds", "clock_error_seconds"):
        assert f'framepost_sender_{gauge}{{camera="cam1"}}' in text


def test_an_unknown_path_names_the_known_ones(server: Server) -> None:
    status, body = get(server, "/else")

    assert status == 404
    assert "/healthz, /metrics, /static/<path:filename>, /status" in json.loads(body)["detail"]
    assert "got '/else'" in json.loads(body)["detail"]


def test_a_port_in_use_is_one_sentence(server: Server) -> None:
    with pytest.raises(
        PortError, match=rf"SENDER_STATUS_PORT: 127.0.0.1:{server.port} is in use by another"
    ):
        make_server(port=server.port)


@pytest.mark.parametrize("host", ["no.such.invalid", "a..b"])
def test_a_host_that_is_not_ours_is_one_sentence(host: str) -> None:
    with pytest.raises(PortError, match="SENDER_STATUS_HOST: expected an address of this machine"):
        make_server(host)


def test_a_client_that_goes_away_is_no_news(
    server: Server, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", server.port)) as rude:
            rude.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
            rude.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    with socket.create_connection(("127.0.0.1", server.port)) as garbage:
        garbage.sendall(b"\x00\xff garbage\r\n\r\n")
        garbage.recv(1000)

    assert get(server, "/healthz")[0] == 200
    assert capfd.readouterr() == ("", "")
    assert caplog.text == ""


def test_a_bug_in_a_route_is_told(caplog: pytest.LogCaptureFixture) -> None:
    def buggy() -> list[str]:
        raise ZeroDivisionError("a bug")

    with make_server(cameras=buggy) as server:
        status, body = get(server, "/status")

    assert (status, json.loads(body)["title"]) == (500, "Internal error")
    assert "ZeroDivisionError" in caplog.text
