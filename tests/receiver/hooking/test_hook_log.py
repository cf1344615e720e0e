from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.hooking.hook_log import HookLog
from tests.receiver.bench import Bench, wait_until


def texts(log: HookLog, hook: str | None = None, *, after: int = 0) -> list[str]:
    return [line.line for line in log.newest(500, hook=hook, after=after)[0]]


def test_lines_of_all_hooks_come_in_order_or_those_of_one() -> None:
    log = HookLog(["a", "b"], clock=lambda: 7.0)
    for i in range(6):
        log.add("ab"[i % 2], i, f"line {i}", by="hook")

    found, last = log.newest(3)

    assert [line.line for line in found] == ["line 3", "line 4", "line 5"]
    assert last == found[-1].id
    assert (found[-1].hook, found[-1].worker, found[-1].at, found[-1].by) == ("b", 5, 7.0, "hook")
    assert texts(log, "a") == ["line 0", "line 2", "line 4"]


def test_whoever_comes_back_gets_what_is_new() -> None:
    log = HookLog(["a"])
    log.add("a", 1, "old", by="hook")
    _, last = log.newest(10)
    assert log.newest(10, after=last) == ([], last)
    log.add("a", 1, "new", by="hook")

    assert texts(log, after=last) == ["new"]


def test_whoever_comes_back_to_another_process_gets_all_of_it() -> None:
    former = HookLog(["a"], clock=lambda: 1000.0)
    for _ in range(9):
        former.add("a", 1, "former", by="hook")
    _, last = former.newest(1)

    for started in (1001.0, 500.0):  # or its clock was set back
        log = HookLog(["a"], clock=lambda started=started: started)  # type: ignore[misc]
        for i in range(20):
            log.add("a", 1, str(i), by="hook")
        assert len(texts(log, after=last)) == 20


def test_what_is_kept_is_bounded_in_lines_and_bytes() -> None:
    log = HookLog(["a", "b"], lines=5, max_bytes=10_000)
    log.add("b", 1, "of a quiet hook", by="hook")
    for i in range(20):
        log.add("a", 1, str(i), by="hook")
    assert texts(log, "a") == ["15", "16", "17", "18", "19"]

    for i in range(5):
        log.add("a", 1, "\N{HEAVY CHECK MARK}" * 1900 + str(i), by="hook")  # 2 bytes each

    assert [text[-1] for text in texts(log, "a")] == ["3", "4"]
    assert texts(log, "b") == ["of a quiet hook"]


@given(st.lists(st.text(max_size=4000), max_size=30))
def test_nothing_that_is_added_breaks_the_bounds(lines: list[str]) -> None:
    log = HookLog(["a"], lines=7, max_bytes=20_000)
    for line in lines:
        log.add("a", 1, line, by="hook")

    found, _ = log.newest(500)

    assert len(found) == len({line.id for line in found}) <= 7
    assert sum(line.weight for line in found) <= 20_000
    assert all(len(line.line) <= 2000 and "\x1b" not in line.line for line in found)
    # The newest one is never the one that makes room.
    assert bool(found) == bool(lines)


def test_passwords_and_controls_are_not_shown() -> None:
    log = HookLog(["a"])
    log.add("a", 1, "\x1b[31mopening\x1b[0m rtsp://admin:s3cret@cam1/live\x07", by="hook")

    assert texts(log) == ["opening rtsp://***@cam1/live\\x07"]


def test_what_a_hook_prints_and_what_is_said_of_it_stand_in_it(bench: Bench) -> None:
    bench.write("""
        import sys
        def process(frame):
            print("frame", frame.seq)
            if frame.seq == 1:
                raise ValueError("no good")
            if frame.seq == 2:
                sys.exit(3)
    """)
    bench.start()
    log = bench.runner.log
    for _ in range(3):
        bench.show()
    wait_until("the restart", lambda: "runs again" in texts(log)[-1])

    found = [(line.by, line.line) for line in log.newest(500)[0]]
    printed = [text for by, text in found if by == "hook"]
    said = [text for by, text in found if by == "receiver"]

    assert printed[:3] == ["frame 0", "frame 1", "frame 2"]
    assert "SystemExit: 3" in printed, "nobody would know where the end was called for"
    assert said[0].startswith("bench_hook is ready (process ")
    assert said[1:3] == [
        "ValueError: no good (bench_hook.py:6)",
        "Traceback (most recent call last):",
    ]
    assert "hook died (exit code 3)" in said
    assert all(line.worker == 1 for line in log.newest(500)[0])


def test_in_a_thread_only_what_is_said_of_a_hook_stands_in_it(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.write("def process(frame):\n    print('hello')\n    raise KeyError('box')")
    bench.start(isolation="thread")
    bench.show()

    assert texts(bench.runner.log)[:2] == [
        "bench_hook is ready (a thread)",
        "KeyError: 'box' (bench_hook.py:3)",
    ]
    assert "hello" in capsys.readouterr().out
