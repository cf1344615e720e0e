"""What the protocol tells of the server and its models."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from receiver.hooking.hook_worker import WorkerStatus
from receiver.kserve.statistics import Statistics
from receiver.models import Model
from tests.receiver.answering import Answering, worker
from tests.receiver.kserve.asking import PIXELS, ask, error, infer, pixels


def test_the_server_says_what_it_can(client: FlaskClient) -> None:
    for route in ("/v2", "/v2/"):
        told = client.get(route).get_json()

        assert told["name"] == "framepost"
        assert {"binary_tensor_data", "system_shared_memory"} <= set(told["extensions"])


def test_health_is_200_or_as_the_protocol_says_400(client: FlaskClient, wrong: list[str]) -> None:
    live, ready = (client.get(f"/v2/health/{word}") for word in ("live", "ready"))
    assert (live.status_code, live.get_json()) == (200, {"live": True})
    assert (ready.status_code, ready.get_json()) == (200, {"ready": True})

    wrong.append("a hook is not ready; see /hooks")
    ready = client.get("/v2/health/ready")

    assert client.get("/v2/health/live").status_code == 200
    assert ready.status_code == 400
    assert ready.get_json() == {"ready": False, "error": "a hook is not ready; see /hooks"}


@pytest.mark.parametrize("model", ["motion", "hooks.motion:Motion", "motion/versions/1"])
def test_a_model_says_what_goes_in_and_comes_out(model: str, client: FlaskClient) -> None:
    told = client.get(f"/v2/models/{model}").get_json()

    assert (told["name"], told["versions"]) == ("motion", ["1"])
    assert told["inputs"] == [{"name": "image", "datatype": "UINT8", "shape": [-1, -1, 3]}]
    assert [output["name"] for output in told["outputs"]] == ["result", "picture"]


def test_a_model_has_a_config_that_names_its_hook(client: FlaskClient) -> None:
    told = client.get("/v2/models/faces/config").get_json()

    assert told["max_batch_size"] == 0
    assert told["input"] == [{"name": "image", "data_type": "TYPE_UINT8", "dims": [-1, -1, 3]}]
    assert told["parameters"]["hook"] == {"string_value": "faces"}
    assert told["parameters"]["camera"] == {"string_value": "door"}


def test_a_model_is_ready_while_its_hook_runs(
    client: FlaskClient, workers: list[WorkerStatus]
) -> None:
    ready = client.get("/v2/models/faces/ready")
    workers[1] = worker("faces", "door", "starting")
    loading = client.get("/v2/models/faces/versions/1/ready")

    assert (ready.status_code, ready.get_json()) == (200, {"name": "faces", "ready": True})
    assert loading.status_code == 400
    assert loading.get_json()["error"] == "the hook is being set up"


def test_the_index_tells_every_model_and_its_state(
    client: FlaskClient, workers: list[WorkerStatus]
) -> None:
    workers[1] = worker("faces", "door", "failed", "ImportError: no dlib")

    assert client.post("/v2/repository/index").get_json() == [
        {"name": "motion", "version": "1", "state": "READY", "reason": ""},
        {"name": "faces", "version": "1", "state": "UNAVAILABLE", "reason": "ImportError: no dlib"},
    ]


@pytest.mark.parametrize("word", ["load", "unload"])
def test_models_are_not_loaded_from_outside(word: str, client: FlaskClient) -> None:
    response = client.post(f"/v2/repository/models/motion/{word}")

    assert response.status_code == 400
    assert "--hook when the receiver starts" in error(response)


@pytest.mark.parametrize(
    ("method", "route", "status", "sentence"),
    [
        ("GET", "/v2/models/nobody", 404, "model: expected one of motion, faces; got 'nobody'"),
        ("GET", "/v2/models/nobody/ready", 404, "got 'nobody'"),
        ("GET", "/v2/models/nobody/config", 404, "got 'nobody'"),
        ("GET", "/v2/models/nobody/stats", 404, "got 'nobody'"),
        ("POST", "/v2/models/nobody/infer", 404, "got 'nobody'"),
        (
            "POST",
            "/v2/models/motion/versions/2/infer",
            404,
            "'motion': expected version 1, got '2'",
        ),
        ("GET", "/v2/models/motion/versions/2", 404, "expected version 1, got '2'"),
        ("GET", "/v2/models/motion/infer", 405, "/v2/models/motion/infer: expected POST"),
        ("PUT", "/v2/models/motion/versions/1/infer", 405, "infer: expected POST"),
        ("GET", "/v2/trace/setting", 404, "GET /v2/trace/setting: there is no such route"),
        ("POST", "/v2/health/live", 405, "POST /v2/health/live: expected GET"),
        ("DELETE", "/v2/models/motion", 405, "DELETE /v2/models/motion: expected GET"),
        ("POST", "/v2", 405, "POST /v2: expected GET"),
    ],
)
def test_what_is_not_there_is_said_in_the_protocols_form(
    method: str, route: str, status: int, sentence: str, client: FlaskClient
) -> None:
    response = client.open(route, method=method)

    assert sentence in error(response)
    assert response.status_code == status
    assert (status == 405) == ("Allow" in response.headers)


def test_a_bug_is_logged_and_not_told(
    client: FlaskClient, hook: Answering, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: object) -> None:
        raise KeyError("secret")

    hook.answer = fail

    response = ask(client, {"inputs": [pixels()]}, PIXELS)

    assert response.status_code == 500
    assert error(response) == "a bug in the receiver; its log has the traceback"
    assert "secret" in caplog.text


def test_statistics_count_what_was_asked(client: FlaskClient, hook: Answering) -> None:
    infer(client, pixels(), PIXELS)
    infer(client, pixels(), PIXELS)
    hook.answer = lambda _: {"state": "failed", "error": "no"}
    ask(client, {"inputs": [pixels()]}, PIXELS)
    ask(client, {"inputs": []}, PIXELS)

    [told] = client.get("/v2/models/motion/stats").get_json()["model_stats"]
    every = client.get("/v2/models/stats").get_json()["model_stats"]

    assert [each["name"] for each in every] == ["motion", "faces"]
    assert every[1]["inference_count"] == 0
    assert (told["inference_count"], told["execution_count"]) == (2, 2)
    stats = told["inference_stats"]
    assert (stats["success"]["count"], stats["fail"]["count"]) == (2, 2)
    assert stats["queue"] == {"count": 2, "ns": 2_000_000}
    assert stats["compute_input"] == {"count": 2, "ns": 4_000_000}
    assert stats["compute_infer"] == {"count": 2, "ns": 6_000_000}
    assert told["batch_stats"][0]["compute_infer"] == stats["compute_infer"]


def test_statistics_know_when_a_model_was_last_asked() -> None:
    statistics = Statistics(clock=lambda: 1234.5)
    model = Model("motion", "hooks.motion:Motion", None)

    assert statistics.facts(model)["last_inference"] == 0
    statistics.failed(model, 0.25)

    facts = statistics.facts(model)
    assert facts["last_inference"] == 1_234_500
    assert facts["inference_stats"]["fail"] == {"count": 1, "ns": 250_000_000}
    assert facts["batch_stats"] == []
