"""Requests that are wrong: each is refused with one sentence that says what."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import tracemalloc
import zlib
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from receiver.kserve import inference_request
from tests.receiver.answering import Answering
from tests.receiver.conftest import MAX_BYTES
from tests.receiver.kserve.asking import (
    JPEG,
    LENGTH,
    PIXELS,
    ROUTE,
    ask,
    element,
    error,
    pixels,
)

BYTES = {"datatype": "BYTES", "shape": [1]}
SIZE = len(PIXELS)


def size(count: int) -> dict[str, int]:
    return {"binary_data_size": count}


def nested(depth: int) -> list[Any]:
    data: list[Any] = [1]
    for _ in range(depth):
        data = [data]
    return data


@pytest.mark.parametrize(
    ("content", "binary", "status", "sentence"),
    [
        ([], b"", 400, "body: expected a JSON object, got list"),
        ({}, b"", 400, "inputs: expected a list of one, the picture, got none"),
        ({"inputs": []}, b"", 400, "inputs: expected a list of one, the picture, got 0"),
        ({"inputs": [pixels()] * 2}, PIXELS, 400, "expected a list of one, the picture, got 2"),
        ({"inputs": {"image": 1}}, b"", 400, "inputs: expected a list of one"),
        ({"inputs": ["image"]}, b"", 400, "inputs[0]: expected a JSON object, got str"),
        ({"inputs": [pixels(name=None)]}, PIXELS, 400, "inputs[0]: expected a name"),
        ({"inputs": [pixels(name=7)]}, PIXELS, 400, "inputs[0]: expected a name"),
        ({"inputs": [pixels()], "id": 7}, PIXELS, 400, "id: expected a string, got 7"),
        ({"inputs": [pixels()], "parameters": []}, PIXELS, 400, "parameters: expected a JSON obj"),
        ({"inputs": [pixels()], "outputs": {}}, PIXELS, 200, ""),
        ({"inputs": [pixels()], "outputs": {"a": 1}}, PIXELS, 400, "outputs: expected a list"),
        ({"inputs": [pixels()], "outputs": [7]}, PIXELS, 400, "outputs[0]: expected a JSON object"),
        ({"inputs": [pixels()], "outputs": [{}]}, PIXELS, 400, "outputs[0]: expected a name"),
        (
            {"inputs": [pixels()], "outputs": [{"name": "result"}] * 2},
            PIXELS,
            400,
            "outputs[1]: expected a name that no other output has",
        ),
        (
            {"inputs": [pixels()], "outputs": [{"name": "a", "parameters": {"classification": 3}}]},
            PIXELS,
            400,
            "output 'a': classification is nothing that a hook does",
        ),
        ({"inputs": [pixels()], "outputs": [{"name": "a"}] * 300}, PIXELS, 400, "at most 256"),
    ],
)
def test_the_request_is_checked(
    content: Any, binary: bytes, status: int, sentence: str, client: FlaskClient
) -> None:
    response = ask(client, content, binary)

    assert response.status_code == status
    assert status == 200 or sentence in error(response)


@pytest.mark.parametrize(
    ("changes", "binary", "status", "sentence"),
    [
        ({"datatype": None}, PIXELS, 400, "input 'image': expected datatype UINT8"),
        ({"datatype": "FP32"}, PIXELS, 400, "got 'FP32'"),
        ({"datatype": 8}, PIXELS, 400, "got '8'"),
        ({"shape": None}, PIXELS, 400, "expected a shape of 1 to 4 whole numbers"),
        ({"shape": []}, PIXELS, 400, "expected a shape of 1 to 4 whole numbers"),
        ({"shape": "120"}, PIXELS, 400, "expected a shape of 1 to 4 whole numbers"),
        ({"shape": [120, 160, 3.0]}, PIXELS, 400, "expected a shape of 1 to 4 whole numbers"),
        ({"shape": [120, 160, True]}, PIXELS, 400, "expected a shape of 1 to 4 whole numbers"),
        ({"shape": [0, 160, 3]}, PIXELS, 400, "whole numbers from 1, got [0, 160, 3]"),
        ({"shape": [-1, 160, 3]}, PIXELS, 400, "whole numbers from 1"),
        ({"shape": [1, 1, 120, 160, 3]}, PIXELS, 400, "1 to 4 whole numbers"),
        ({"shape": [57600]}, PIXELS, 400, "expected [height, width] for gray pixels, got [57600]"),
        ({"shape": [3, 120, 160]}, PIXELS, 400, "expected [height, width] for gray pixels"),
        ({"shape": [2, 120, 80, 3]}, PIXELS, 400, "got [2, 120, 80, 3]"),
        ({"shape": [10**30, 160, 3]}, PIXELS, 422, "expected sides from 1 to"),
        ({"shape": [120, 161, 3]}, PIXELS, 422, "expected 57960 bytes of 161x120 bgr, got 57600"),
        ({"shape": [700, 700, 3]}, PIXELS, 422, "expected at most 307200 pixels, got 700x700"),
        ({"parameters": size(SIZE - 1)}, PIXELS, 400, "57599 were announced, 57600 bytes came"),
        ({"parameters": size(SIZE)}, PIXELS[:-1], 400, "57600 were announced, 57599 bytes came"),
        ({"parameters": size(-1)}, PIXELS, 400, "binary_data_size: expected a whole number"),
        ({"parameters": size(10**30)}, PIXELS, 400, "binary_data_size: expected a whole number"),
        ({"parameters": {"binary_data_size": "1"}}, PIXELS, 400, "expected a whole number"),
        ({"parameters": None}, PIXELS, 400, "expected one of data, binary_data_size and"),
        ({"parameters": "x"}, PIXELS, 400, "input 'image': parameters: expected a JSON object"),
        ({"data": [1]}, PIXELS, 400, "and shared_memory_region, got 2"),
        ({"parameters": {}, "data": [1]}, PIXELS, 400, "57600 bytes follow the JSON that no input"),
        (BYTES, PIXELS, 400, "expected one element, got 57596 more bytes"),
        (BYTES | {"parameters": size(3)}, b"abc", 400, "got 3 bytes in all"),
        (BYTES | {"parameters": size(5)}, b"\2\0\0\0a", 400, "got 5 bytes in all"),
        (BYTES | {"parameters": size(6)}, b"\1\0\0\0ab", 400, "got 1 more bytes"),
        (BYTES | {"parameters": size(4)}, b"\0\0\0\0", 422, "the body is empty"),
        (BYTES | {"parameters": size(12)}, element(b"nonsense"), 415, "expected a JPEG"),
        (BYTES | {"parameters": size(504)}, element(JPEG[:500]), 422, "the JPEG is cut off"),
        (BYTES | {"shape": [2]}, PIXELS, 400, "shape: expected [1], one picture in BYTES, got [2]"),
    ],
)
def test_the_input_is_checked(
    changes: dict[str, Any],
    binary: bytes,
    status: int,
    sentence: str,
    client: FlaskClient,
    hook: Answering,
) -> None:
    response = ask(client, {"inputs": [pixels(**changes)]}, binary)

    assert sentence in error(response)
    assert response.status_code == status
    assert not hook.frames


@pytest.mark.parametrize(
    ("datatype", "data", "sentence"),
    [
        ("UINT8", [1, 2], "expected 3 numbers, as the shape says, got 2"),
        ("UINT8", [1, 2, 3, 4], "expected 3 numbers, as the shape says, got 4"),
        ("UINT8", [1, 2, 256], "expected numbers from 0 to 255, got 1 to 256"),
        ("UINT8", [1, 2, -1], "expected numbers from 0 to 255, got -1 to 2"),
        ("UINT8", [1, 2, 10**30], "expected numbers from 0 to 255"),
        ("UINT8", [1, 2, 1.5], "expected whole numbers"),
        ("UINT8", [1, 2, True], "expected whole numbers"),
        ("UINT8", [1, 2, "3"], "expected whole numbers"),
        ("UINT8", ["x" * 1000, *[""] * 1000], "expected whole numbers"),
        ("UINT8", [[1, 2], 3], "expected whole numbers"),
        ("UINT8", [[]], "expected whole numbers"),
        ("UINT8", [], "expected whole numbers"),
        ("UINT8", {}, "expected whole numbers"),
        ("UINT8", "abc", "expected whole numbers"),
        ("UINT8", nested(20), "expected whole numbers"),
        ("BYTES", [], "expected the picture in base64"),
        ("BYTES", ["/9j", "/9j"], "expected the picture in base64"),
        ("BYTES", [7], "expected the picture in base64"),
        ("BYTES", nested(20), "expected the picture in base64"),
        ("BYTES", ["????"], "expected base64"),
        ("BYTES", ["/9j"], "expected base64"),
        ("BYTES", ["ü"], "expected base64"),
    ],
)
def test_data_in_json_are_checked(
    datatype: str, data: Any, sentence: str, client: FlaskClient
) -> None:
    shape = [1, 1, 3] if datatype == "UINT8" else [1]
    given = {"name": "image", "datatype": datatype, "shape": shape, "data": data}

    response = ask(client, {"inputs": [given]})

    assert sentence in error(response)
    assert response.status_code == 400


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"camera": 7}, "expected camera to be a string, got 7"),
        ({"camera": "../x"}, "camera: expected 1 to 64 letters"),
        ({"camera": ""}, "camera: expected 1 to 64 letters"),
        ({"layout": ""}, "layout: expected bgr, rgb, gray, i420 or nv12, got ''"),
        ({"layout": "yuv"}, "layout: expected bgr, rgb, gray, i420 or nv12, got 'yuv'"),
        ({"layout": ["rgb"]}, "expected layout to be a string"),
        ({"layout": "gray"}, "shape: expected [height, width] for gray pixels, got [120, 160, 3]"),
        ({"layout": "i420"}, "expected [height * 3 / 2, width] for i420 pixels"),
        ({"timeout": -1}, "timeout: expected a whole number"),
        ({"timeout": 0.5}, "timeout: expected a whole number"),
        ({"timeout": 1e400}, "timeout: expected a whole number"),
    ],
)
def test_the_parameters_are_checked(
    parameters: dict[str, Any], sentence: str, client: FlaskClient
) -> None:
    response = ask(client, {"inputs": [pixels()], "parameters": parameters}, PIXELS)

    assert sentence in error(response)
    assert response.status_code == 400


@pytest.mark.parametrize("shape", [[100, 160], [120, 161]])
def test_planes_have_even_sides(shape: list[int], client: FlaskClient) -> None:
    content = {"inputs": [pixels(shape=shape)], "parameters": {"layout": "nv12"}}

    response = ask(client, content, PIXELS)

    assert "of even sides for nv12 pixels" in error(response)


def test_an_encoded_picture_has_no_layout(client: FlaskClient) -> None:
    given = pixels(**BYTES, parameters=size(len(JPEG) + 4))

    response = ask(client, {"inputs": [given], "parameters": {"layout": "rgb"}}, element(JPEG))

    assert "expected none for an encoded picture" in error(response)


@pytest.mark.parametrize(
    "body",
    [
        b" ",
        b"{",
        b"\xff\xfe",
        b"nonsense",
        b'{"inputs": ' + b"[" * 50_000,
        b'{"inputs": 1' + b"0" * 5000 + b"}",
    ],
)
def test_garbage_for_json_is_refused(body: bytes, client: FlaskClient) -> None:
    response = ask(client, body)

    assert error(response).startswith("body: expected JSON (")
    assert response.status_code == 400


def test_json_of_too_many_numbers_is_not_even_read(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inference_request, "MAX_ITEMS", 1000)
    given = {"name": "a", "datatype": "UINT8", "shape": [20, 20, 3], "data": [1] * 1200}

    response = ask(client, {"inputs": [given]})

    assert response.status_code == 413
    assert "send pictures as binary data" in error(response)


@pytest.mark.parametrize("length", ["-1", "x", "", "1.5", "10000000", "9" * 5000, "²"])
def test_a_wrong_length_of_the_json_is_refused(length: str, client: FlaskClient) -> None:
    response = client.post(ROUTE, data=b"{}", headers={LENGTH: length})

    assert f"{LENGTH}: expected a number up to the body's 2" in error(response)
    assert response.status_code == 400


def test_a_length_that_cuts_the_json_off_is_refused(client: FlaskClient) -> None:
    content = json.dumps({"inputs": [pixels()]}).encode()

    response = ask(client, content, PIXELS, Inference_Header_Content_Length=str(len(content) - 5))

    assert "body: expected JSON (" in error(response)


def test_a_body_without_a_length_is_refused(client: FlaskClient) -> None:
    response = client.post(ROUTE, headers={"Transfer-Encoding": "chunked"})

    assert response.status_code == 411
    assert "Content-Length" in error(response)


def test_a_body_that_is_too_large_is_refused(client: FlaskClient) -> None:
    response = ask(client, bytes(MAX_BYTES * 2))

    assert response.status_code == 413
    assert "body: expected at most" in error(response)


@pytest.mark.parametrize("datatype", ["UINT8", "BYTES"])
def test_a_picture_that_is_too_large_is_refused(datatype: str, client: FlaskClient) -> None:
    data = bytes(400 * 300) if datatype == "UINT8" else element(bytes(400 * 300))
    shape = [300, 400] if datatype == "UINT8" else [1]
    given = pixels(datatype=datatype, shape=shape, parameters=size(len(data)))

    response = ask(client, {"inputs": [given]}, data)

    assert response.status_code == 413
    assert error(response) == "image: expected at most 100000 bytes, got 120000"


@pytest.mark.parametrize(
    ("encoding", "body", "status", "sentence"),
    [
        ("gzip", gzip.compress(bytes(100_000_000)), 413, "got more when inflated"),
        ("deflate", zlib.compress(bytes(100_000_000)), 413, "got more when inflated"),
        ("gzip", b"nonsense", 400, "the gzip data are broken"),
        ("gzip", gzip.compress(b"{}", mtime=0)[:-4], 400, "it is cut off"),
        ("deflate", zlib.compress(b"{}") + b"x", 400, "more follows its end"),
        ("br", b"{}", 415, "Content-Encoding: expected gzip or deflate, got 'br'"),
    ],
)
def test_compressed_bodies_are_checked(
    encoding: str, body: bytes, status: int, sentence: str, client: FlaskClient
) -> None:
    response = ask(client, body, Content_Encoding=encoding)

    assert sentence in error(response)
    assert response.status_code == status


def test_a_bomb_is_not_inflated_any_further_than_to_see_that_it_is_one(
    client: FlaskClient,
) -> None:
    body = gzip.compress(bytes(100_000_000))
    tracemalloc.start()
    try:
        response = ask(client, body, Content_Encoding="gzip")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert response.status_code == 413
    assert peak < 10_000_000


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
requests = st.fixed_dictionaries(
    {
        "inputs": st.lists(
            st.fixed_dictionaries(
                {
                    "name": st.just("image") | anything,
                    "datatype": st.sampled_from(["UINT8", "BYTES", "FP32"]) | anything,
                    "shape": st.lists(st.integers(-1, 4), max_size=4) | anything,
                },
                optional={
                    "data": st.lists(st.integers(0, 255), max_size=30) | anything,
                    "parameters": st.fixed_dictionaries(
                        {},
                        optional={
                            "binary_data_size": anything,
                            "shared_memory_region": anything,
                            "shared_memory_offset": anything,
                            "shared_memory_byte_size": anything,
                        },
                    ),
                },
            ),
            min_size=1,
            max_size=1,
        )
    },
    optional={
        "id": anything,
        "outputs": anything,
        "parameters": st.dictionaries(
            st.sampled_from(["camera", "layout", "timeout", "binary_data_output"]), anything
        ),
    },
)


@given(content=requests, binary=st.none() | st.binary(max_size=30))
@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_comes_is_answered_and_never_a_bug(
    content: Any, binary: bytes | None, client: FlaskClient
) -> None:
    response = ask(client, content, binary)

    assert response.status_code in (200, 400, 404, 413, 415, 422)
    assert response.status_code == 200 or error(response)


def test_a_digest_is_that_of_the_body_as_it_came(client: FlaskClient, hook: Answering) -> None:
    body = gzip.compress(
        json.dumps(
            {
                "inputs": [
                    {"name": "image", "datatype": "UINT8", "shape": [1, 1, 3], "data": [1, 2, 3]}
                ]
            }
        ).encode()
    )
    right = base64.b64encode(hashlib.sha256(body).digest()).decode()
    wrong = base64.b64encode(bytes(32)).decode()

    statuses = [
        client.post(
            ROUTE,
            data=body,
            headers={"Content-Encoding": "gzip", "Content-Digest": f"sha-256=:{digest}:"},
        ).status_code
        for digest in (right, wrong)
    ]

    assert statuses == [200, 422]
