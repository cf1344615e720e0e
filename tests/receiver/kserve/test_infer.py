from __future__ import annotations

import base64
import gzip
import json
import zlib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient

from receiver.frame import Frame
from receiver.hooking.hook_worker import WorkerStatus
from receiver.hub import Hub
from receiver.kserve import inference
from shared.seats import Seats
from tests.receiver.answering import Answering, worker
from tests.receiver.kserve.asking import (
    BGR,
    JPEG,
    LENGTH,
    PIXELS,
    ask,
    element,
    error,
    infer,
    pixels,
)

NAN = float("nan")
SMALL = BGR[40:64, 60:92]
ENCODED = {"name": "x", "datatype": "BYTES", "shape": [1], "parameters": {"binary_data_size": 0}}


def encoded(data: bytes, shape: tuple[int, ...] = (1,)) -> dict[str, Any]:
    parameters = {"binary_data_size": len(data) + 4}
    return ENCODED | {"shape": list(shape), "parameters": parameters}


def test_pixels_come_as_binary_data(client: FlaskClient, hook: Answering) -> None:
    hook.answer = lambda _: {"value": {"motion": True}}

    outputs = infer(client, pixels(), PIXELS)

    assert np.array_equal(Frame(hook.frames[0]).image, BGR)
    assert outputs == {"result": {"datatype": "BYTES", "shape": [1], "data": ['{"motion": true}']}}


@pytest.mark.parametrize(
    ("shape", "layout", "image"),
    [
        ([1, 120, 160, 3], None, BGR),
        ([120, 160, 3], "bgr", BGR),
        ([120, 160, 3], "rgb", BGR[..., ::-1]),
        ([360, 160], None, BGR.reshape(360, 160)[..., None].repeat(3, 2)),
        ([360, 160, 1], None, BGR.reshape(360, 160)[..., None].repeat(3, 2)),
        ([1, 360, 160, 1], "gray", BGR.reshape(360, 160)[..., None].repeat(3, 2)),
    ],
)
def test_the_shape_and_the_layout_say_how_pixels_lie(
    shape: list[int], layout: str | None, image: Any, client: FlaskClient, hook: Answering
) -> None:
    parameters = {"layout": layout} if layout else {}

    infer(client, pixels(shape=shape), PIXELS, parameters=parameters)

    assert np.array_equal(Frame(hook.frames[0]).image, image)


@pytest.mark.parametrize("layout", ["i420", "nv12"])
def test_planes_of_a_video_decoder_are_taken(
    layout: str, client: FlaskClient, hook: Answering
) -> None:
    infer(client, pixels(shape=[360, 160]), PIXELS, parameters={"layout": layout})

    frame = hook.frames[0]
    assert (frame.width, frame.height, frame.media_type) == (
        160,
        240,
        f"application/x-raw-{layout}",
    )


@pytest.mark.parametrize("data", [SMALL.tolist(), SMALL.ravel().tolist(), [SMALL.tolist()]])
def test_pixels_come_as_json_flat_or_in_rows(
    data: list[Any], client: FlaskClient, hook: Answering
) -> None:
    infer(client, pixels(parameters=None, data=data, shape=[24, 32, 3]), None)

    assert hook.frames[0].data == SMALL.tobytes()


def test_an_encoded_picture_comes_as_one_element(client: FlaskClient, hook: Answering) -> None:
    infer(client, encoded(JPEG), element(JPEG))
    infer(client, encoded(JPEG, (1, 1)), element(JPEG))

    assert [frame.data for frame in hook.frames] == [JPEG, JPEG]
    assert hook.frames[0].media_type == "image/jpeg"


def test_an_encoded_picture_comes_in_base64_as_json(client: FlaskClient, hook: Answering) -> None:
    text = base64.b64encode(JPEG).decode()
    given = {name: value for name, value in ENCODED.items() if name != "parameters"}

    infer(client, given | {"data": [text]}, None)
    infer(client, given | {"data": [[text]], "shape": [1, 1]}, None)

    assert [frame.data for frame in hook.frames] == [JPEG, JPEG]


def test_a_bare_picture_is_taken_where_the_header_says_that_there_is_no_json(
    client: FlaskClient, hook: Answering
) -> None:
    response = ask(client, JPEG, Inference_Header_Content_Length="0")

    assert response.status_code == 200
    assert hook.frames[0].data == JPEG


@pytest.mark.parametrize(
    ("encoding", "compress"), [("gzip", gzip.compress), ("deflate", zlib.compress)]
)
def test_a_request_may_be_compressed(
    encoding: str, compress: Any, client: FlaskClient, hook: Answering
) -> None:
    head = json.dumps({"inputs": [pixels()]}).encode()

    response = ask(
        client,
        compress(head + PIXELS),
        Content_Encoding=encoding,
        Inference_Header_Content_Length=str(len(head)),
    )

    assert response.status_code == 200
    assert hook.frames[0].data == PIXELS


@pytest.mark.parametrize(
    ("array", "datatype", "flat"),
    [
        (np.array([[1.5, NAN]], np.float32), "FP32", [1.5, None]),
        (np.array([0.1]), "FP64", [0.1]),
        (np.array([0.5], np.float16), "FP16", [0.5]),
        (np.array([[-1], [7]], np.int64), "INT64", [-1, 7]),
        (np.array([-8], np.int8), "INT8", [-8]),
        (np.array([2**63], np.uint64), "UINT64", [2**63]),
        (np.array([9], np.uint8), "UINT8", [9]),
        (np.array([True, False]), "BOOL", [True, False]),
        (np.array(["cat", "hünd"]), "BYTES", ["cat", "hünd"]),
        (np.zeros((0, 4), np.float32), "FP32", []),
        (np.array(3), "INT64", [3]),
    ],
)
def test_arrays_in_the_result_are_tensors(
    array: Any, datatype: str, flat: list[Any], client: FlaskClient, hook: Answering
) -> None:
    listed = json.loads(json.dumps(array.tolist()).replace("NaN", "null"))
    hook.answer = lambda _: {
        "value": {"it": listed, "more": [1]},
        "arrays": {"it": (array.dtype.name, array.shape)},
    }

    as_json = infer(client, pixels(), PIXELS, outputs=[{"name": "it"}])
    as_binary = infer(client, pixels(), PIXELS, parameters={"binary_data_output": True})

    assert as_json == {"it": {"datatype": datatype, "shape": list(array.shape), "data": flat}}
    assert list(as_binary) == ["result", "it"]
    data = as_binary["it"]["data"]
    if datatype == "BYTES":
        assert data == b"".join(element(each.encode()) for each in flat)
    else:
        told = np.frombuffer(data, array.dtype).reshape(as_binary["it"]["shape"])
        assert np.array_equal(told, array, equal_nan=datatype.startswith("FP"))


def test_an_output_says_itself_whether_it_is_binary(client: FlaskClient, hook: Answering) -> None:
    hook.answer = lambda _: {"value": {"a": [1]}, "arrays": {"a": ("int32", (1,))}}
    outputs = [
        {"name": "a", "parameters": {"binary_data": True}},
        {"name": "result", "parameters": {"binary_data": False}},
    ]

    told = infer(client, pixels(), PIXELS, outputs=outputs, parameters={"binary_data_output": True})

    assert told["a"]["data"] == b"\x01\0\0\0"
    assert told["result"]["data"] == ['{"a": [1]}']


def test_what_the_hook_drew_comes_when_it_is_asked_for(
    client: FlaskClient, hook: Answering
) -> None:
    hook.answer = lambda frame: {"picture": replace(frame, data=JPEG, media_type="image/jpeg")}

    named = infer(
        client,
        pixels(),
        PIXELS,
        outputs=[{"name": "picture", "parameters": {"binary_data": True}}],
    )
    as_json = infer(client, pixels(), PIXELS, outputs=[{"name": "picture"}])
    unnamed = infer(client, pixels(), PIXELS)

    assert named["picture"] == {
        "datatype": "BYTES",
        "shape": [1],
        "data": element(JPEG),
        "parameters": {"binary_data_size": len(JPEG) + 4},
    }
    assert base64.b64decode(as_json["picture"]["data"][0]) == JPEG
    assert list(unnamed) == ["result"]


def test_of_a_hook_that_draws_nothing_the_picture_is_empty(client: FlaskClient) -> None:
    told = infer(client, pixels(), PIXELS, outputs=[{"name": "picture"}])

    assert told["picture"] == {"datatype": "BYTES", "shape": [0], "data": []}


def test_an_output_that_the_hook_does_not_give_is_an_error(
    client: FlaskClient, hook: Answering
) -> None:
    hook.answer = lambda _: {"value": {"a": [1]}, "arrays": {"a": ("int32", (1,))}}

    response = ask(client, {"inputs": [pixels()], "outputs": [{"name": "boxes"}]}, PIXELS)

    assert response.status_code == 400
    assert error(response) == "output: expected one of result, a, picture; got 'boxes'"


def test_the_id_comes_back(client: FlaskClient) -> None:
    assert ask(client, {"id": "7 ü", "inputs": [pixels()]}, PIXELS).get_json()["id"] == "7 ü"
    assert "id" not in ask(client, {"inputs": [pixels()]}, PIXELS).get_json()


@pytest.mark.parametrize(
    ("model", "parameters", "camera"),
    [
        ("motion", {}, "kserve"),
        ("motion", {"camera": "yard"}, "yard"),
        ("faces", {}, "door"),
        ("hooks.motion%3AMotion", {}, "kserve"),
        ("faces/versions/1", {}, "door"),
    ],
)
def test_frames_are_of_the_camera_that_the_request_or_the_hook_names(
    model: str, parameters: dict[str, str], camera: str, client: FlaskClient, hook: Answering
) -> None:
    content = {"inputs": [pixels()], "parameters": parameters}

    response = ask(client, content, PIXELS, route=f"/v2/models/{model}/infer")

    assert response.status_code == 200
    assert hook.frames[0].camera == camera


def test_a_camera_of_another_hook_is_refused(client: FlaskClient, hook: Answering) -> None:
    response = ask(client, {"inputs": [pixels()], "parameters": {"camera": "door"}}, PIXELS)

    assert response.status_code == 400
    assert "motion gets the frames of cameras without a hook of their own" in error(response)
    assert not hook.frames


def test_headers_say_of_a_frame_what_they_say_elsewhere(
    client: FlaskClient, hook: Answering
) -> None:
    headers = {"X_Frame_Epoch": "e", "X_Frame_Seq": "4", "X_Timestamp": "1.5"}
    hook.answer = lambda frame: {"value": frame.seq}

    first = ask(client, {"inputs": [pixels()]}, PIXELS, **headers)
    again = ask(client, {"inputs": [pixels()]}, PIXELS, **headers)
    ask(client, {"inputs": [pixels()]}, PIXELS, **headers | {"X_Frame_Seq": "5"})
    forgotten = ask(client, {"inputs": [pixels()]}, PIXELS, **headers)

    assert (hook.frames[0].epoch, hook.frames[0].seq, hook.frames[0].captured_at) == ("e", 4, 1.5)
    assert first.get_json() == again.get_json()
    assert forgotten.status_code == 409
    assert "came before" in error(forgotten)
    assert len(hook.frames) == 2


def test_a_hook_that_fails_says_why(client: FlaskClient, hook: Answering) -> None:
    hook.answer = lambda _: {"state": "failed", "error": "ValueError: no face (faces.py:7)"}

    response = ask(client, {"inputs": [pixels()]}, PIXELS)

    assert response.status_code == 500
    assert error(response) == "ValueError: no face (faces.py:7)"


def test_a_result_that_does_not_come_in_time_is_given_up(
    client: FlaskClient, hook: Answering
) -> None:
    hook.answer = lambda _: None

    response = ask(client, {"inputs": [pixels()], "parameters": {"timeout": 1000}}, PIXELS)

    assert response.status_code == 504
    assert error(response) == "timeout: the hook gave no result within 0.001 s"


def test_nobody_waits_longer_than_anybody_may(
    client: FlaskClient, hook: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inference, "MAX_WAIT", 0.001)
    hook.answer = lambda _: None
    content = {"inputs": [pixels()], "parameters": {"timeout": 10**15}}

    response = ask(client, content, PIXELS)

    assert error(response) == "timeout: the hook gave no result within 0.001 s"


def test_a_caller_who_cannot_wait_is_told_to_come_later(
    client: FlaskClient, seats: Seats, hook: Answering
) -> None:
    leaves = [seats.take() for _ in range(seats.limit)]

    response = ask(client, {"inputs": [pixels()]}, PIXELS)

    assert response.status_code == 503
    assert "try again later" in error(response)
    assert int(response.headers["Retry-After"]) > 0
    assert not hook.frames
    assert all(leaves)


def test_seats_are_left_again(client: FlaskClient, seats: Seats, hook: Answering) -> None:
    infer(client, pixels(), PIXELS)
    ask(client, {"inputs": [pixels()]}, PIXELS[:-1])
    hook.answer = lambda _: {"state": "failed", "error": "no"}
    ask(client, {"inputs": [pixels()]}, PIXELS)

    assert seats.taken == 0


def test_a_full_queue_is_told_as_such(client: FlaskClient, hook: Answering) -> None:
    hook.answer = lambda _: None
    hook.leave_waiting = True
    content = {"inputs": [pixels()], "parameters": {"timeout": 1}}
    for _ in range(16):
        assert ask(client, content, PIXELS).status_code == 504

    response = ask(client, content, PIXELS)

    assert response.status_code == 503
    assert "at most 16 frames" in error(response)


def test_a_hook_that_cannot_run_is_not_waited_for(
    client: FlaskClient, hook: Answering, workers: list[WorkerStatus]
) -> None:
    workers[0] = worker("hooks.motion:Motion", state="failed", last_error="ImportError: no dlib")

    response = ask(client, {"inputs": [pixels()]}, PIXELS)

    assert response.status_code == 503
    assert error(response) == "model: motion does not run: ImportError: no dlib"
    assert not hook.frames


def test_every_frame_is_processed_and_the_books_close(
    client: FlaskClient, hook: Answering, hub: Hub
) -> None:
    for _ in range(3):
        infer(client, pixels(), PIXELS)
    ask(client, {"inputs": [pixels()]}, PIXELS[:-1])

    camera = hub.get("kserve")
    assert camera is not None
    books = camera.books()
    assert (books.received, books.processed, books.superseded) == (3, 3, 0)
    assert hub.refused() == {("kserve", "tensor"): 1}


def test_the_times_come_in_a_header(client: FlaskClient) -> None:
    response = ask(client, {"inputs": [pixels()]}, PIXELS)

    assert response.headers["Server-Timing"].startswith("queue;dur=1.000, decode;dur=2.000, hook;")
    assert LENGTH not in response.headers
