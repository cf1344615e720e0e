"""Object detection as video recorders ask for it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from receiver import deepstack
from receiver.app import create_app
from receiver.desk import Desk
from receiver.hooking.hook_worker import WorkerStatus
from receiver.hooking.hooks import HookSpec
from receiver.hub import Hub
from receiver.models import Models
from shared import codec, pattern
from shared.seats import Seats
from tests.program import Receiver
from tests.receiver.answering import Answering, worker
from tests.receiver.conftest import MAX_BYTES

JPEG = codec.encode(pattern.draw(5, 160, 120), 80)
ROUTE = "/v1/vision/detection"
CAT = {"label": "cat", "score": 0.875, "box": [10, 20, 30, 40]}
DOG = {"label": "dog", "score": 0.5, "box": [0, 0, 5, 5]}


@pytest.fixture
def hook(hub: Hub, hooked: set[str]) -> Answering:
    hooked |= {"deepstack", "door", "yard"}
    hook = Answering(hub)
    hook.answer = lambda _: {"value": {"objects": [DOG, CAT]}}
    return hook


@pytest.fixture
def workers() -> list[WorkerStatus]:
    return [worker("hooks.detector:Detector"), worker("faces", "door")]


@pytest.fixture
def client(desk: Desk, seats: Seats, hook: Answering, workers: list[WorkerStatus]) -> FlaskClient:
    specs = [HookSpec("hooks.detector:Detector"), HookSpec("faces", "door")]
    models = Models(specs, status=lambda: workers)
    door = deepstack.blueprint(desk, models, seats=seats, max_bytes=MAX_BYTES)
    return create_app([door], max_bytes=MAX_BYTES).test_client()


def detect(client: FlaskClient, route: str = ROUTE, **fields: str) -> TestResponse:
    return client.post(route, data={"image": (io.BytesIO(JPEG), "image"), **fields})


def error(response: TestResponse) -> str:
    content = response.get_json()
    assert content["success"] is False
    assert content["code"] == response.status_code >= 400
    return str(content["error"])


def test_what_the_hook_found_is_told_as_predictions_the_surest_first(
    client: FlaskClient, hook: Answering
) -> None:
    response = detect(client, min_confidence="0.1", api_key="")

    told = response.get_json()
    assert response.status_code == 200
    assert told["success"] is True
    assert told["count"] == 2
    assert told["message"] == "Found cat, dog"
    assert told["predictions"] == [
        {
            "label": "cat",
            "confidence": 0.875,
            "x_min": 10,
            "y_min": 20,
            "x_max": 40,
            "y_max": 60,
        },
        {"label": "dog", "confidence": 0.5, "x_min": 0, "y_min": 0, "x_max": 5, "y_max": 5},
    ]
    assert (told["inferenceMs"], told["processMs"]) == (3, 5)
    assert all(type(told[name]) is int for name in ("duration", "analysisRoundTripMs"))
    assert hook.frames[0].data == JPEG
    assert response.headers["Server-Timing"].startswith("queue;dur=1.000")


@pytest.mark.parametrize(
    ("least", "labels"),
    [
        (None, ["cat", "dog"]),
        ("", ["cat", "dog"]),
        ("0.6", ["cat"]),
        ("0.5", ["cat", "dog"]),
        ("1", []),
        ("0", ["cat", "dog", "fox"]),
    ],
)
def test_what_is_not_sure_enough_is_left_out(
    least: str | None, labels: list[str], client: FlaskClient, hook: Answering
) -> None:
    fox = {"label": "fox", "confidence": 0.25, "box": [1, 1, 1, 1]}
    hook.answer = lambda _: {"value": {"objects": [fox, DOG, CAT]}}

    told = detect(client, **({} if least is None else {"min_confidence": least})).get_json()

    assert [each["label"] for each in told["predictions"]] == labels
    assert told["count"] == len(labels)


def test_boxes_are_whole_pixels_within_the_picture(client: FlaskClient, hook: Answering) -> None:
    box = [-3.2, 10.6, 1000, 20.2]
    hook.answer = lambda _: {"value": {"objects": [CAT | {"box": box}]}}

    [told] = detect(client).get_json()["predictions"]

    assert (told["x_min"], told["y_min"], told["x_max"], told["y_max"]) == (0, 11, 160, 31)


def test_a_hook_that_found_nothing_is_no_error(client: FlaskClient, hook: Answering) -> None:
    hook.answer = lambda _: {"value": {"objects": []}}

    told = detect(client).get_json()

    assert (told["success"], told["predictions"], told["count"]) == (True, [], 0)
    assert told["message"] == "No objects found"


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (None, 'expects {"objects": [...]}, the hook returned null'),
        ({"motion": True}, 'the hook returned {"motion": true}'),
        ({"objects": 7}, 'the hook returned {"objects": 7}'),
        ([CAT], "the hook returned [{"),
        ({"objects": [CAT, "dog"]}, 'objects[1] to be {"label", "score", "box": [x, y, width,'),
        ({"objects": [{"label": "cat", "box": [1, 2, 3, 4]}]}, "objects[0] to be"),
        ({"objects": [CAT | {"box": [1, 2, 3]}]}, "objects[0] to be"),
        ({"objects": [CAT | {"box": None}]}, "objects[0] to be"),
        ({"objects": [CAT | {"score": "sure"}]}, "objects[0] to be"),
        ({"objects": [CAT | {"score": None}]}, "objects[0] to be"),
        ({"objects": [CAT | {"score": "nan"}]}, "objects[0] to be"),
        ({"objects": [CAT | {"box": [0, 0, "inf", 1]}]}, "objects[0] to be"),
        ({"objects": [CAT | {"box": [0, 0, 10**400, 1]}]}, "objects[0] to be"),
    ],
)
def test_a_hook_that_is_no_detector_is_told_what_is_expected(
    value: Any, sentence: str, client: FlaskClient, hook: Answering
) -> None:
    hook.answer = lambda _: {"value": value}

    response = detect(client)

    assert response.status_code == 500
    assert sentence in error(response)


def test_a_hook_that_fails_says_why(client: FlaskClient, hook: Answering) -> None:
    hook.answer = lambda _: {"state": "failed", "error": "ValueError: no"}

    response = detect(client)

    assert response.status_code == 500
    assert error(response) == "ValueError: no"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"data": {"image": (io.BytesIO(b"nonsense"), "image")}}, "expected a JPEG, PNG or WebP"),
        ({"data": {"image": (io.BytesIO(JPEG[:500]), "image")}}, "the JPEG is cut off"),
        ({"data": {"picture": (io.BytesIO(JPEG), "image")}}, "a field image"),
        ({"data": b"{}", "content_type": "application/json"}, "a field image"),
        ({"data": JPEG, "query_string": {"min_confidence": "high"}}, "from 0 to 1, got 'high'"),
        ({"data": JPEG, "query_string": {"min_confidence": "nan"}}, "from 0 to 1, got 'nan'"),
        ({"data": JPEG, "query_string": {"min_confidence": "40"}}, "from 0 to 1, got '40'"),
        ({"data": JPEG, "query_string": {"camera": "../x"}}, "camera: expected 1 to 64 letters"),
        ({"data": JPEG, "query_string": {"camera": ""}}, "camera: expected 1 to 64 letters"),
    ],
)
def test_what_is_wrong_with_a_request_is_said_and_is_a_400(
    fields: dict[str, Any], sentence: str, client: FlaskClient, hook: Answering
) -> None:
    response = client.post(ROUTE, **fields)

    assert response.status_code == 400
    assert sentence in error(response)
    assert not hook.frames


@pytest.mark.parametrize(
    ("route", "fields", "camera"),
    [
        (ROUTE, {}, "deepstack"),
        (ROUTE, {"camera": "yard"}, "yard"),
        (f"{ROUTE}?camera=yard", {}, "yard"),
        (ROUTE, {"camera": "door"}, "door"),
        ("/v1/vision/custom/detector", {}, "deepstack"),
        ("/v1/vision/custom/faces", {}, "door"),
        ("/v1/vision/custom/detector?camera=yard", {}, "yard"),
    ],
)
def test_frames_are_of_the_camera_that_the_caller_or_the_model_names(
    route: str, fields: dict[str, str], camera: str, client: FlaskClient, hook: Answering
) -> None:
    assert detect(client, route, **fields).status_code == 200

    assert hook.frames[0].camera == camera


def test_a_bare_picture_is_taken_with_its_wishes_in_the_query(client: FlaskClient) -> None:
    response = client.post(f"{ROUTE}?min_confidence=0.6", data=JPEG, content_type="image/jpeg")

    assert response.get_json()["count"] == 1


def test_raw_pixels_are_taken_as_elsewhere(client: FlaskClient, hook: Answering) -> None:
    response = client.post(
        ROUTE, data=bytes(160 * 120), content_type="application/x-raw-gray; width=160; height=120"
    )

    assert response.status_code == 200
    assert hook.frames[0].media_type == "application/x-raw-gray"


def test_an_unknown_model_is_an_error(client: FlaskClient) -> None:
    response = detect(client, "/v1/vision/custom/plates")

    assert response.status_code == 404
    assert error(response) == "model: expected one of detector, faces; got 'plates'"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_hooks_are_listed_as_custom_models(method: str, client: FlaskClient) -> None:
    told = client.open("/v1/vision/custom/list", method=method).get_json()

    assert told == {"success": True, "models": ["detector", "faces"]}


def test_a_ping_is_answered(client: FlaskClient) -> None:
    assert client.get("/v1/server/status/ping").get_json()["success"] is True


@pytest.mark.parametrize(
    ("method", "route"),
    [("POST", "/v1/vision/face"), ("GET", "/v1"), ("POST", "/v1/vision"), ("POST", "/v1/x/y")],
)
def test_what_is_not_there_is_said_in_this_form_too(
    method: str, route: str, client: FlaskClient
) -> None:
    response = client.open(route, method=method)

    assert response.status_code == 404
    assert error(response) == f"{method} {route}: there is no such route"


@pytest.mark.parametrize("route", [ROUTE, "/v1/vision/custom/faces"])
def test_a_picture_is_posted(route: str, client: FlaskClient) -> None:
    response = client.get(route)

    assert response.status_code == 405
    assert response.headers["Allow"] == "POST, OPTIONS"
    assert error(response) == f"GET {route}: expected POST"


def test_the_methods_of_a_route_are_told(client: FlaskClient) -> None:
    told = client.options("/v1/vision/custom/list")
    unknown = client.options("/v1/vision/face")

    assert (told.status_code, told.headers["Allow"]) == (200, "GET, POST, OPTIONS")
    assert unknown.status_code == 404


def test_without_a_hook_the_caller_is_told_to_start_one(
    client: FlaskClient, hooked: set[str]
) -> None:
    hooked.clear()

    response = detect(client)

    assert response.status_code == 409
    assert "start the receiver with --hook" in error(response)


def test_a_hook_that_cannot_run_is_not_waited_for(
    client: FlaskClient, workers: list[WorkerStatus], hook: Answering
) -> None:
    workers[0] = worker("hooks.detector:Detector", state="failed", last_error="no DETECTOR_MODEL")

    response = detect(client)

    assert response.status_code == 503
    assert error(response) == "model: detector does not run: no DETECTOR_MODEL"
    assert not hook.frames


def test_a_result_that_does_not_come_is_given_up(
    client: FlaskClient, hook: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook.answer = lambda _: None
    monkeypatch.setattr(deepstack, "_WAIT", 0.001)

    response = detect(client)

    assert response.status_code == 504
    assert error(response) == "timeout: the hook gave no result within 0.001 s"


def test_a_caller_who_cannot_wait_is_told_to_come_later(
    client: FlaskClient, seats: Seats, hook: Answering
) -> None:
    leaves = [seats.take() for _ in range(seats.limit)]

    response = detect(client)

    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert not hook.frames
    assert all(leaves)


def test_seats_are_left_again(client: FlaskClient, seats: Seats, hook: Answering) -> None:
    detect(client)
    hook.answer = lambda _: {"state": "failed", "error": "no"}
    detect(client)
    client.post(ROUTE, data=b"nonsense")

    assert seats.taken == 0


def test_every_picture_is_looked_at(client: FlaskClient, hub: Hub) -> None:
    for _ in range(3):
        detect(client)
    client.post(ROUTE, data={"image": (io.BytesIO(b"nonsense"), "image")})

    camera = hub.get("deepstack")
    assert camera is not None
    assert (camera.books().processed, camera.books().superseded) == (3, 0)
    assert hub.refused() == {("deepstack", "format"): 1}


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    folder = tmp_path_factory.mktemp("hooks")
    text = f"def process(frame):\n    return {{'objects': [{CAT}, {DOG}]}}\n"
    Path(folder, "finder.py").write_text(text, encoding="utf-8")
    with Receiver("--hook", "finder", "--hook-path", str(folder)) as receiver:
        receiver.wait_for("is ready")
        yield receiver


def test_a_recorder_gets_its_boxes_from_the_real_program(receiver: Receiver) -> None:
    """Posted and read as Frigate's detector does it."""
    answer = requests.post(
        f"{receiver.url}{ROUTE}", data={"api_key": ""}, files={"image": JPEG}, timeout=10
    ).json()

    boxes = [
        (each["label"], each["confidence"], each["y_min"], each["x_min"], each["y_max"])
        for each in answer["predictions"]
    ]
    assert boxes == [("cat", 0.875, 20, 10, 60), ("dog", 0.5, 0, 0, 5)]


def test_a_recorder_may_ask_for_a_hook_by_name(receiver: Receiver) -> None:
    """Posted as Blue Iris does it."""
    models = requests.post(f"{receiver.url}/v1/vision/custom/list", timeout=30).json()["models"]
    answer = requests.post(
        f"{receiver.url}/v1/vision/custom/{models[0]}",
        data={"min_confidence": "0.6"},
        files={"image": ("image.jpg", JPEG, "image/jpeg")},
        timeout=10,
    ).json()

    assert [each["label"] for each in answer["predictions"]] == ["cat"]
