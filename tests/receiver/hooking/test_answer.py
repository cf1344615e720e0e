from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.frame import Frame
from receiver.hooking.answer import Answer, ReturnError, ask, plain, split
from receiver.hooking.hooks import Hook
from tests.conftest import MakeFrame

PICTURE = np.zeros((4, 6, 3), np.uint8)


@pytest.mark.parametrize(
    ("returned", "value", "shape"),
    [
        (None, None, None),
        ({"a": 1}, {"a": 1}, None),
        ((1, 2), [1, 2], None),
        (PICTURE, None, (4, 6, 3)),
        (PICTURE[:, :, 0], None, (4, 6)),
        (PICTURE[:, :, :1], None, (4, 6)),
        (PICTURE[:, ::-1], None, (4, 6, 3)),
        (("text", PICTURE), "text", (4, 6, 3)),
        ((None, PICTURE), None, (4, 6, 3)),
        (
            {"a": np.float32(0.5), "b": np.arange(2), 3: np.True_},
            {"a": 0.5, "b": [0, 1], "3": True},
            None,
        ),
        ([np.longdouble(0.5), np.ones(1, np.longdouble)], [0.5, [1.0]], None),
        ([float("nan"), np.inf, 1.5], [None, None, 1.5], None),
    ],
)
def test_what_a_hook_may_return(returned: Any, value: Any, shape: Any) -> None:
    found, picture = split(returned)

    assert found == value
    assert (picture.shape if picture is not None else None) == shape
    assert picture is None or picture.flags.c_contiguous


@pytest.mark.parametrize(
    ("returned", "sentence"),
    [
        ({1, 2}, "hook returned a set; expected a JSON-able value"),
        ({"a": [b"x"]}, r"hook returned a bytes in value\['a'\]\[0\]; expected"),
        ({(1, 2): 3}, "a dict with a tuple for a key; expected strings"),
        (PICTURE / 255, r"array of 4x6x3 float64 for a picture; expected height x width x 3 uint8"),
        (np.zeros((4, 6, 4), np.uint8), "array of 4x6x4 uint8 for a picture"),
        (np.zeros((0, 6, 3), np.uint8), "array of 0x6x3 uint8 for a picture"),
        ((PICTURE, 5), r"\(picture, value\); expected \(value, picture\)"),
        ({"mask": np.zeros((400, 400))}, r"160000 numbers in value\['mask'\]; expected at most"),
        ("x" * 2_000_000, "2000002 characters of JSON"),
        pytest.param(10**5000, "that JSON cannot hold", id="huge"),
    ],
)
def test_what_a_hook_may_not_return(returned: Any, sentence: str) -> None:
    with pytest.raises(ReturnError, match=sentence):
        split(returned)


def test_a_value_that_holds_itself_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)

    with pytest.raises(ReturnError, match="more than 16 deep"):
        plain(endless)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(json_values)
def test_what_json_knows_is_left_as_it_is(value: Any) -> None:
    assert plain(value) == value


def test_the_time_of_the_hook_leaves_the_decoder_out(make_frame: MakeFrame) -> None:
    hook = Hook("x", Path("x.py"), lambda frame: float(frame.image.mean()), int, int, False)

    answer = ask(hook, Frame(make_frame(width=1280, height=720)), 80)

    assert answer.decode > 0
    assert answer.hook >= 0
    assert Answer(**answer.facts(), picture=answer.picture) == answer
