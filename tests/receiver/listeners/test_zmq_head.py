from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver import formats, raw
from receiver.listeners.zmq_head import MAX_HEAD, name_of, read_head
from shared import json_envelope, wire
from shared.errors import FrameError
from shared.frame import check_camera
from tests.conftest import MakeFrame


def head(**facts: object) -> bytes:
    return json.dumps(facts).encode()


def test_a_text_is_the_camera_s_name() -> None:
    found = read_head(head(msg="rpi-1.local"))

    assert (found.camera, found.media_type, found.envelope.seq) == ("rpi-1.local", "", None)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("front door", "front-door"),
        ("Kamera: Hof/Süd!", "Kamera-Hof-S-d-"),
        ("_-.cam1", "cam1"),
        ("x" * 99, "x" * 64),
        ("cam1", "cam1"),
        ("cam_", "cam_"),
    ],
)
def test_what_a_name_may_not_hold_becomes_a_dash(text: str, name: str) -> None:
    assert name_of(text) == check_camera(name) == name


@pytest.mark.parametrize("text", ["", "…", "--", None, 7, ["a"], {"a": 1}])
def test_a_text_that_is_no_name_at_all_is_refused(text: object) -> None:
    with pytest.raises(FrameError, match="msg: expected a text") as caught:
        read_head(head(msg=text))

    assert (caught.value.status, caught.value.reason) == (400, "header")


def test_a_camera_may_be_said_for_all_texts() -> None:
    assert read_head(head(msg="12:00:01"), camera="door").camera == "door"
    assert read_head(head(msg=None), camera="door").camera == "door"


@pytest.mark.parametrize(
    ("shape", "media_type"),
    [
        ([2, 3, 3], "application/x-raw-bgr; width=3; height=2"),
        ([2, 3, 1], "application/x-raw-gray; width=3; height=2"),
        ([2, 3], "application/x-raw-gray; width=3; height=2"),
    ],
)
def test_an_array_is_raw_pixels(shape: list[int], media_type: str) -> None:
    assert read_head(head(msg="a", dtype="uint8", shape=shape)).media_type == media_type


@pytest.mark.parametrize(
    ("dtype", "status"),
    [("float64", 415), ("O", 415), ("|O8", 415), ("uint8,uint8", 415), (["uint8"], 415), (1, 415)],
)
def test_any_other_dtype_is_refused(dtype: object, status: int) -> None:
    with pytest.raises(FrameError, match="dtype: expected uint8") as caught:
        read_head(head(msg="a", dtype=dtype, shape=[1, 1, 3]))

    assert (caught.value.status, caught.value.reason) == (status, "format")


@pytest.mark.parametrize(
    "shape",
    [
        *([], [1], [1, 1, 2], [1, 1, 4], [1, 1, 3, 1], [0, 1, 3], [-1, -1, 3], [1, 2**40, 3]),
        *([True, 1, 3], [1.0, 1, 3], ["1", 1, 3], None, 7, "111", {"0": 1}, [[1], 1, 3]),
    ],
)
def test_a_shape_that_is_no_picture_s_is_refused(shape: object) -> None:
    with pytest.raises(FrameError, match="shape: expected") as caught:
        read_head(head(msg="a", dtype="uint8", shape=shape))

    assert caught.value.status == 400


@pytest.mark.parametrize(
    "text",
    [
        *(b"", b"cam1", b"[]", b'"cam1"', b"7", b"{", b"\xff\xfe", b"[" * 4000, b'{"msg": "\xff"}'),
        pickle.dumps({"msg": "cam1"}),
        b'{"msg": "' + b"x" * MAX_HEAD + b'"}',
    ],
)
def test_what_is_no_such_json_is_refused(text: bytes) -> None:
    with pytest.raises(FrameError, match="message: expected JSON") as caught:
        read_head(text)

    assert (caught.value.status, caught.value.reason) == (400, "header")


def test_our_envelope_comes_as_it_was_sent(make_frame: MakeFrame) -> None:
    headers = wire.to_headers(make_frame(41, epoch="boot"), digest=True)
    found = read_head(head(msg="a", framepost=json_envelope.to_facts(headers)))

    assert found.envelope == wire.from_headers(headers)


@pytest.mark.parametrize(
    "envelope", [7, "x", [1], {"seq": -1}, {"seq": "x"}, {"epoch": "a b"}, {"captured_at": 1e999}]
)
def test_an_envelope_that_is_none_is_refused(envelope: object) -> None:
    with pytest.raises(FrameError) as caught:
        read_head(head(msg="a", framepost=envelope))

    assert (caught.value.status, caught.value.reason) == (400, "header")


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
_FACTS = st.fixed_dictionaries(
    {},
    optional={
        "msg": st.text(max_size=80) | _VALUES,
        "dtype": st.just("uint8") | _VALUES,
        "shape": st.lists(st.integers(-1, 70_000), max_size=4) | _VALUES,
        "framepost": _VALUES | st.fixed_dictionaries({"seq": st.integers(), "epoch": _VALUES}),
    },
)


@given(_FACTS | _VALUES)
def test_whatever_json_comes_it_is_a_head_or_refused(facts: Any) -> None:
    try:
        found = read_head(json.dumps(facts).encode())
    except FrameError:
        return
    check_camera(found.camera)
    if raw.is_raw(found.media_type):
        size = raw.read_layout(found.media_type).size
        if size < 1000:
            assert formats.inspect(bytes(size), media_type=found.media_type).width > 0
