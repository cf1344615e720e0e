from __future__ import annotations

import re
from pathlib import Path

from receiver.hooking import traces


def _raised(text: str, file: Path) -> Exception:
    """Return what the hook's file of that text raises."""
    file.write_text(text, encoding="utf-8")
    try:
        exec(compile(text, str(file), "exec"), {})
    except Exception as exc:
        return exc
    raise AssertionError("it raised nothing")


def test_a_traceback_is_python_s_own(tmp_path: Path) -> None:
    file = tmp_path / "hook.py"
    exc = _raised("def find(faces):\n    return faces[3]\n\nfind([])\n", file)

    lines = traces.full(exc).splitlines()

    assert lines[0] == "Traceback (most recent call last):"
    assert lines[-1] == "IndexError: list index out of range"
    assert f'  File "{file}", line 2, in find' in lines
    assert traces.describe(exc, file) == "IndexError: list index out of range (hook.py:2)"


def test_of_a_long_traceback_the_end_is_told(tmp_path: Path) -> None:
    text = "exc = ValueError('the first')\n"
    text += (
        "for i in range(99):\n    try:\n        raise ValueError(f'{i}: {\"x\" * 200}') from exc\n"
    )
    text += "    except ValueError as e:\n        exc = e\nraise exc\n"

    trace = traces.full(_raised(text, tmp_path / "hook.py"))

    first, *_, last = trace.splitlines()
    assert re.fullmatch(r"\.\.\. \d+ lines left out \.\.\.", first)
    assert last.startswith("ValueError: 98: xxx")
    assert 7000 < len(trace) < 8100


def test_a_line_without_end_is_cut(tmp_path: Path) -> None:
    exc = _raised("raise ValueError('x' * 5_000_000)", tmp_path / "hook.py")

    assert len(traces.full(exc)) < 2000
    assert len(traces.describe(exc, None)) < 600


def test_passwords_stay_out_of_both(tmp_path: Path) -> None:
    file = tmp_path / "hook.py"
    exc = _raised("raise OSError('no answer', 'rtsp://admin:s3cret@cam1/live')", file)

    told = traces.full(exc) + traces.describe(exc, file)

    assert "s3cret" not in told
    assert "rtsp://***@cam1/live" in told


def test_an_exception_that_cannot_be_told_is_told_all_the_same(tmp_path: Path) -> None:
    file = tmp_path / "hook.py"
    text = "class Odd(Exception):\n    def __str__(self): return 1 / 0\nraise Odd\n"
    exc = _raised(text, file)

    assert traces.describe(exc, file) == "Odd: (its text cannot be read) (hook.py:3)"
    assert "Odd: <exception str() failed>" in traces.full(exc)
