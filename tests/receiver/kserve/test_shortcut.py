"""Inference requests that are answered before Flask sees them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import request, request_started
from flask.testing import FlaskClient

from receiver.kserve import inference_request
from shared.errors import FrameError
from tests.receiver.answering import Answering
from tests.receiver.kserve.asking import PIXELS, ROUTE, ask, error, infer, pixels

WORDS = (
    b'{"inputs": [{"name": "x", "datatype": "UINT8", "shape": [2, 2, 3], "parameters": '
    b'{"shared_memory_region": "frames", "shared_memory_byte_size": 12}}]}'
)


@pytest.fixture
def seen(client: FlaskClient) -> Iterator[list[str]]:
    """The paths that Flask was asked for."""
    paths: list[str] = []

    def note(sender: object, **_: object) -> None:
        paths.append(request.path)

    with request_started.connected_to(note, client.application):
        yield paths


@pytest.mark.usefixtures("hook")
def test_a_plain_request_never_reaches_flask(client: FlaskClient, seen: list[str]) -> None:
    infer(client, pixels(), PIXELS)

    assert seen == []


@pytest.mark.parametrize(
    "route", ["/v2/models/motion/versions/1/infer", "/v2/models/hooks.motion:Motion/infer"]
)
def test_versions_and_uncommon_names_are_the_routes(
    client: FlaskClient, hook: Answering, seen: list[str], route: str
) -> None:
    hook.answer = lambda _: {"value": 5}

    response = ask(client, {"inputs": [pixels()]}, PIXELS, route=route)

    assert (response.status_code, seen) == (200, [route])
    assert response.get_json()["outputs"][0]["data"] == ["5"]


def test_both_ways_answer_with_the_same_headers(client: FlaskClient, hook: Answering) -> None:
    hook.answer = lambda _: {"value": 5}
    wished = {"inputs": [pixels()], "parameters": {"binary_data_output": True}}

    short = ask(client, wished, PIXELS)
    long = ask(client, wished, PIXELS, route="/v2/models/motion/versions/1/infer")

    assert short.data == long.data
    assert set(short.headers.keys()) == set(long.headers.keys())
    assert short.headers["Content-Length"] == str(len(short.data))
    assert short.mimetype == long.mimetype == "application/octet-stream"


def test_what_is_wrong_is_told_in_the_routes_words(client: FlaskClient, seen: list[str]) -> None:
    response = ask(client, b"{")

    assert response.status_code == 400
    assert error(response).startswith("body: expected JSON")
    assert seen == [ROUTE]


def test_another_method_is_told_the_right_one(client: FlaskClient) -> None:
    assert client.get(ROUTE).headers["Allow"] == "POST, OPTIONS"


def test_the_same_words_are_read_once() -> None:
    assert inference_request.read(WORDS, None) is inference_request.read(bytes(WORDS), None)


@pytest.mark.parametrize("length", [str(len(WORDS)), None])
def test_what_is_long_or_has_data_behind_it_is_not_kept(length: str | None) -> None:
    words = WORDS if length else WORDS + b" " * 2048

    assert inference_request.read(words, length) is not inference_request.read(words, length)


def test_an_error_is_told_each_time() -> None:
    for _ in range(2):
        with pytest.raises(FrameError, match="expected JSON"):
            inference_request.read(b"[", None)
