from __future__ import annotations

import base64
import io
import json
import struct
from typing import Any
from urllib.parse import urlencode

import cv2
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from receiver.hub import Hub
from shared import codec, pattern, wire
from tests.conftest import MakeFrame
from tests.receiver.conftest import MAX_BYTES

JPEG = codec.encode(pattern.draw(5, 160, 120), 80)
BASE64 = base64.b64encode(JPEG).decode()
ROUTE = "/cameras/cam1/frames"


def newest(hub: Hub, camera: str = "cam1") -> bytes:
    found = hub.get(camera)
    assert found is not None
    frame = found.latest.peek()
    assert frame is not None
    return frame.data


def refusals(hub: Hub) -> dict[str, int]:
    return {reason: count for (_, reason), count in hub.refused().items()}


FORMS: dict[str, dict[str, Any]] = {
    "raw": {"data": JPEG, "content_type": "image/jpeg"},
    "raw without a type": {"data": JPEG},
    "raw as curl --data-binary sends it": {
        "data": JPEG,
        "content_type": "application/x-www-form-urlencoded",
    },
    "octet stream": {"data": JPEG, "content_type": "application/octet-stream"},
    "multipart image": {"data": {"image": (io.BytesIO, "a.jpg")}},
    "multipart frame": {"data": {"frame": (io.BytesIO, "a.jpg")}},
    "multipart file": {"data": {"file": (io.BytesIO, "a.jpg")}},
    "multipart base64": {"data": {"img": BASE64}, "content_type": "multipart/form-data"},
    "form img": {"data": {"img": BASE64}},
    "form image": {"data": {"image": BASE64}},
    "form data URI": {"data": {"img": "data:image/jpeg;base64," + BASE64}},
    "JSON": {"json": {"image": BASE64}},
    "JSON with line breaks": {"json": {"frame": base64.encodebytes(JPEG).decode()}},
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_body_brings_the_same_bytes(form: str, client: FlaskClient, hub: Hub) -> None:
    arguments = dict(FORMS[form])
    data = arguments.get("data")
    if isinstance(data, dict):
        arguments["data"] = {
            name: (value[0](JPEG), value[1]) if isinstance(value, tuple) else value
            for name, value in data.items()
        }

    answer = client.post(ROUTE, **arguments)

    assert answer.status_code == 202, answer.text
    assert newest(hub) == JPEG


def test_the_answer_says_which_frame_and_when(client: FlaskClient, make_frame: MakeFrame) -> None:
    frame = make_frame(7, epoch="e9")

    answer = client.post(ROUTE, data=frame.data, headers=wire.to_headers(frame))

    assert answer.json == {"camera": "cam1", "epoch": "e9", "seq": 7, "state": "accepted"}
    assert float(answer.headers[wire.RECEIVED_AT]) <= float(answer.headers[wire.REPLIED_AT])


def test_a_repeated_and_a_late_frame_are_told_so(client: FlaskClient) -> None:
    def post(seq: int) -> TestResponse:
        headers = {wire.EPOCH: "e", wire.SEQ: str(seq)}
        return client.post(ROUTE, data=JPEG, headers=headers)

    answers = [post(seq) for seq in (4, 5, 4, 5, 3)]

    assert [answer.status_code for answer in answers] == [202, 202, 200, 202, 200]
    states = [(answer.json or {})["state"] for answer in answers]
    assert states == ["accepted", "accepted", "duplicate", "accepted", "superseded"]


def test_frames_without_a_number_are_numbered(client: FlaskClient) -> None:
    answers = [client.post(ROUTE, data=JPEG).json or {} for _ in range(3)]

    assert [answer["seq"] for answer in answers] == [0, 1, 2]
    assert len({answer["epoch"] for answer in answers}) == 1


def test_png_and_webp_are_taken_as_they_are(client: FlaskClient, hub: Hub) -> None:
    for extension in (".png", ".webp"):
        data = cv2.imencode(extension, pattern.draw(1, 160, 120))[1].tobytes()

        assert client.post(ROUTE, data=data).status_code == 202
        assert newest(hub) == data


def test_the_classic_exchange_works(client: FlaskClient, hub: Hub) -> None:
    body = urlencode({"img": BASE64})

    answer = client.post("/image_post", data=body, content_type="application/x-www-form-urlencoded")

    assert answer.status_code == 200
    assert "success" in answer.text
    assert newest(hub, "default") == JPEG
    client.post("/image_post?camera=door", data={"img": BASE64})
    assert newest(hub, "door") == JPEG


def huge() -> bytes:
    at = JPEG.index(b"\xff\xc0")
    return JPEG[: at + 5] + struct.pack(">HH", 16000, 16000) + JPEG[at + 9 :]


BAD: dict[str, tuple[dict[str, Any], int, str, str]] = {
    "empty": ({"environ_overrides": {"CONTENT_LENGTH": "0"}}, 422, "empty", "body is empty"),
    "text": ({"data": b"hello, camera"}, 415, "format", "68 65 6c 6c 6f"),
    "truncated": ({"data": JPEG[:-300]}, 422, "truncated", "cut off"),
    "bomb": ({"data": huge()}, 422, "pixels", "16000x16000"),
    "too large": (
        {"data": JPEG + bytes(MAX_BYTES), "content_type": "image/jpeg"},
        413,
        "too_large",
        str(MAX_BYTES),
    ),
    "bad base64": ({"data": {"img": "!!!" + BASE64}}, 400, "base64", "expected base64"),
    "unescaped plus": ({"data": {"img": BASE64[:8] + " " + BASE64[9:]}}, 400, "base64", "%2B"),
    "wrong field": ({"data": {"picture": BASE64}}, 400, "field", "'picture'"),
    "no JSON": (
        {"data": b"{nope", "content_type": "application/json"},
        400,
        "json",
        "expected JSON",
    ),
    "JSON of brackets": ({"data": b"[" * 990, "mimetype": "application/json"}, 400, "json", ""),
    "too many parts": (
        {"data": {f"f{n}": "x" for n in range(20)}, "content_type": "multipart/form-data"},
        413,
        "form",
        "",
    ),
    "JSON of another kind": ({"json": [1]}, 400, "json", "expected JSON"),
    "JSON without a picture": ({"json": {"image": 5}}, 400, "field", "'image'"),
    "bad seq": ({"data": JPEG, "headers": {wire.SEQ: "x"}}, 400, "header", wire.SEQ),
    "wrong digest": (
        {"data": JPEG, "headers": {wire.DIGEST: f"sha-256=:{'A' * 43}=:"}},
        422,
        "digest",
        "another SHA-256",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_clear_problem_and_counted(
    case: str, client: FlaskClient, hub: Hub
) -> None:
    arguments, status, reason, words = BAD[case]

    answer = client.post(ROUTE, **arguments)

    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    problem = json.loads(answer.text)
    assert words in problem["detail"]
    assert "\n" not in problem["detail"]
    assert refusals(hub) == {reason: 1}
    assert hub.cameras() == []


@pytest.mark.parametrize(
    "name", ["..", ".hidden", "a b", "a%0Ab", "<img onerror=x>", "ж", "x" * 65, "%00"]
)
def test_a_name_that_is_none_is_refused(name: str, client: FlaskClient, hub: Hub) -> None:
    answer = client.post(f"/cameras/{name}/frames", data=JPEG)

    assert answer.status_code in (400, 404)
    assert hub.cameras() == []


def test_a_body_without_a_length_is_refused(client: FlaskClient, hub: Hub) -> None:
    answer = client.post(
        ROUTE,
        input_stream=io.BytesIO(JPEG),
        headers={"Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True},
    )

    assert answer.status_code == 411
    assert refusals(hub) == {"length": 1}


@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_the_limit_of_bytes_holds_to_the_byte(extra: int, client: FlaskClient, hub: Hub) -> None:
    # A camera's padding is part of the body, so it makes a picture of any length.
    padded = JPEG + bytes(MAX_BYTES + extra - len(JPEG))
    expected = 202 if extra <= 0 else 413

    assert client.post(ROUTE, data=padded, content_type="image/jpeg").status_code == expected
    encoded = {"img": base64.b64encode(padded).decode()}
    assert client.post(ROUTE, data=encoded).status_code == expected
    upload = {"image": (io.BytesIO(padded), "a.jpg")}
    assert client.post(ROUTE, data=upload).status_code == expected


def test_an_upload_never_touches_the_disk(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("an upload went to a temporary file")

    monkeypatch.setattr("tempfile.SpooledTemporaryFile", refuse)
    monkeypatch.setattr("werkzeug.formparser.SpooledTemporaryFile", refuse)
    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    monkeypatch.setattr("werkzeug.formparser.TemporaryFile", refuse, raising=False)

    answer = client.post(ROUTE, data={"image": (io.BytesIO(JPEG), "a.jpg")})

    assert answer.status_code == 202


def test_unknown_routes_and_methods_are_problems_too(client: FlaskClient) -> None:
    assert client.get("/nowhere").mimetype == "application/problem+json"
    answer = client.get(ROUTE)
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "OPTIONS, POST"


def test_a_closing_receiver_says_when_to_come_back(client: FlaskClient, hub: Hub) -> None:
    hub.close()

    answer = client.post(ROUTE, data=JPEG)

    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.headers["Connection"] == "close", "else the next request may meet the end"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/x-www-form-urlencoded", b"a=&" * 30_000),
        ("application/json", b"[" + b"{}," * 30_000 + b"{}]"),
        ("application/json", b'{"image": [' + b"[]," * 30_000 + b"[]]}"),
    ],
)
def test_a_body_of_nothing_but_fields_is_refused_before_it_is_parsed(
    content_type: str, body: bytes, client: FlaskClient
) -> None:
    answer = client.post(ROUTE, data=body, content_type=content_type)

    assert answer.status_code == 400
    assert answer.json is not None
    assert "at most 1000 fields" in answer.json["detail"]
