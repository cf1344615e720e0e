from __future__ import annotations

import pytest

from receiver.hooking.trouble import Trouble


def test_each_distinct_trouble_is_told_once_then_counted(caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    trouble = Trouble("hook x", clock=lambda: now)
    for i in range(50):
        trouble.report(f"ValueError: frame {i}: no '{i * 7}' (x.py:3)", "Traceback\n  line")
    trouble.report("KeyError: 3 (x.py:3)")
    now = 11.0
    trouble.report("ValueError: again (x.py:3)")

    assert caplog.messages == [
        "hook x: ValueError: frame 0: no '0' (x.py:3)",
        "hook x | Traceback",
        "hook x |   line",
        "hook x: KeyError: 3 (x.py:3)",
        "hook x: 50 more failures, the last: ValueError: again (x.py:3)",
    ]


def test_what_comes_back_after_a_change_is_told_again(caplog: pytest.LogCaptureFixture) -> None:
    trouble = Trouble("hook x")
    for _ in range(2):
        trouble.report("hook x: cannot")
        trouble.forget()

    assert caplog.messages == ["hook x: cannot", "hook x: cannot"]
