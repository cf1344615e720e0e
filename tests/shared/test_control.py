from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.control import Control


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("fps=5; size=640x360; quality=70", Control(fps=5, size=(640, 360), quality=70)),
        ("quality=70;fps=0.5", Control(fps=0.5, quality=70)),
        (" FPS = 5 ; ", Control(fps=5)),
        ("fps=5; colour=grey; size=huge", Control(fps=5)),
        ("fps=0; size=640x360", Control(size=(640, 360))),
        ("fps=-1", None),
        ("fps=1e9", None),
        ("fps=nan; quality=101", None),
        ("quality=0", None),
        ("size=0x0", None),
        ("size=640x99999", None),
        ("size=٦٤٠x٣٦٠; fps=٥", None),
        ("please slow down", None),
        ("", None),
        (None, None),
    ],
)
def test_a_wish_is_read_as_far_as_it_is_legible(text: str | None, wish: Control | None) -> None:
    assert Control.parse(text) == wish


@given(
    fps=st.none() | st.integers(10, 1_000_000).map(lambda n: n / 1000),
    size=st.none() | st.tuples(st.integers(2, 16384), st.integers(2, 16384)),
    quality=st.none() | st.integers(1, 100),
)
def test_what_one_side_writes_the_other_reads(
    fps: float | None, size: tuple[int, int] | None, quality: int | None
) -> None:
    wish = Control(fps=fps, size=size, quality=quality)

    assert Control.parse(str(wish)) == (None if wish == Control() else wish)


@given(st.text())
def test_no_text_does_harm(text: str) -> None:
    Control.parse(text)


def test_only_what_is_wished_is_told() -> None:
    assert Control(fps=5, size=(640, 360)).facts() == {"fps": 5, "size": "640x360"}
