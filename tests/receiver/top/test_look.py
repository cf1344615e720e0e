"""What the terminal view makes of what a receiver says."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from receiver.top.look import Look, plain, read_look
from receiver.top.table import columns_for, show


def camera(name: str = "cam1", **facts: Any) -> dict[str, Any]:
    return {
        "camera": name,
        "state": "live",
        "fps": 25.0,
        "processed": 0,
        "superseded": 0,
        "failed": 0,
        "refused": 0,
        "duplicate": 0,
        "age_seconds": 0.04,
        "width": 1280,
        "height": 720,
        "viewers": 2,
        "latency": {"total": {"p50": 3.0, "p95": 12.5}, "hook": {"p50": 1.0, "p95": 7.25}},
        **facts,
    }


def hook(**facts: Any) -> dict[str, Any]:
    return {
        "hook": "hooks.motion:Motion",
        "camera": "*",
        "worker": 1,
        "state": "ready",
        "restarts": 3,
        "processed": 12345,
        "failed": 1,
        "last_error": None,
        **facts,
    }


def printed(look: Look, width: int = 200, **options: Any) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width, color_system=None)
    console.print(show(look, width=width, **options))
    return out.getvalue()


def test_rates_are_what_the_counters_grew_by() -> None:
    first = read_look([camera(processed=100, superseded=7)], [], at=10.0)
    second = read_look([camera(processed=150, superseded=11)], [], at=12.0, before=first)

    assert first.cameras[0].processed is None
    assert second.cameras[0].processed == 25.0
    assert second.cameras[0].lost == {
        "superseded": 2.0,
        "failed": 0.0,
        "refused": 0.0,
        "duplicate": 0.0,
    }
    assert second.cameras[0].losing == 2.0


def test_a_receiver_that_was_started_again_has_lost_nothing() -> None:
    first = read_look([camera(processed=100, failed=9)], [], at=10.0)
    second = read_look([camera(processed=5)], [], at=11.0, before=first)

    assert second.cameras[0].processed == 0.0
    assert second.cameras[0].losing == 0.0


def test_a_camera_that_is_new_has_no_rates_yet() -> None:
    first = read_look([camera()], [], at=10.0)
    second = read_look([camera(), camera("new")], [], at=11.0, before=first)

    assert second.cameras[1].processed is None
    assert "new" in printed(second)


def test_a_camera_that_never_had_a_frame_is_shown() -> None:
    nothing = camera(state="gone", age_seconds=None, width=None, height=None, latency={})

    line = next(
        line for line in printed(read_look([nothing], [], at=0)).splitlines() if "cam1" in line
    )

    assert "gone" in line
    assert line.count(" -") >= 5


@pytest.mark.parametrize(
    "hostile", ["\x1b[2J\x1b]0;owned\x07", "a\nb\rc", "\u202egnp.exe", "[red]x[/red]", "\x9b31m"]
)
def test_what_comes_from_outside_moves_no_cursor(hostile: str) -> None:
    look = read_look(
        [camera(hostile, state=hostile)], [hook(hook=hostile, last_error=hostile)], at=0.0
    )

    text = printed(look)

    assert not {char for char in text if ord(char) < 32 and char != "\n"}
    assert not {"\x9b", "\u202e"} & set(text)
    if "[" in hostile and hostile.isprintable():
        assert hostile in text  # as it stands, not as a style


def test_plain_leaves_text_alone() -> None:
    assert plain("Tür 2 – 東 ✓") == "Tür 2 – 東 ✓"


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 200])
def test_lines_fit_the_terminal(width: int) -> None:
    look = read_look([camera("a" * 64), camera("b")], [hook(last_error="x" * 300)], at=0.0)

    assert max(len(line.rstrip()) for line in printed(look, width).splitlines()) <= width


def test_a_narrow_terminal_keeps_what_matters_most() -> None:
    assert [column.title for column in columns_for(80)] == [
        "fps",
        "processed/s",
        "age",
        "p50 ms",
        "p95 ms",
    ]
    assert [column.title for column in columns_for(32)] == ["fps"]
    assert len(columns_for(200)) == 14


@pytest.mark.parametrize(
    ("order", "first"),
    [("n", "a"), ("f", "fast"), ("s", "lost"), ("a", "lost"), ("l", "slow"), ("d", "dropping")],
)
def test_cameras_stand_in_the_order_that_was_asked_for(order: str, first: str) -> None:
    cameras = [
        camera("slow", latency={"total": {"p50": 90.0, "p95": 900.0}}),
        camera("fast", fps=60.0),
        camera("lost", state="gone", age_seconds=100.0),
        camera("dropping"),
        camera("a"),
    ]
    before = read_look(cameras, [], at=0.0)
    cameras[3]["failed"] = 4
    look = read_look(cameras, [], at=1.0, before=before)

    lines = printed(look, order=order).splitlines()

    assert lines[3].split()[0] == first


def test_totals_and_hooks_are_told() -> None:
    before = read_look([camera(), camera("gone", state="gone", fps=0.0)], [hook()], at=0.0)
    look = read_look(
        [camera(processed=20), camera("gone", state="gone", fps=0.0)],
        [hook(camera="door", state="failed", last_error="no module named x")],
        at=1.0,
        before=before,
    )

    text = printed(look)

    assert "1 of 2 cameras live · 25.0 fps in · 20.0 processed/s · 0.0 lost/s" in text
    assert "door=hooks.motion:Motion #1" in text
    assert "12,345" in text
    assert "no module named x" in text


def test_without_cameras_it_says_so() -> None:
    assert "none yet" in printed(read_look([], [], at=0.0))


@pytest.mark.parametrize("broken", [{}, {"camera": "x"}, camera(latency=[]), camera(fps="fast"), 7])
def test_what_no_receiver_says_is_an_error(broken: Any) -> None:
    with pytest.raises((TypeError, ValueError, KeyError, AttributeError)):
        read_look([broken], [], at=0.0)
