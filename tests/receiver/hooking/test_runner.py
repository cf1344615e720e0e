from __future__ import annotations

import dataclasses
import os
import signal
import threading
import time

import numpy as np
import pytest

from receiver.hooking import process_worker, thread_worker
from receiver.hooking.hooks import HookError, HookSpec
from receiver.hooking.runner import Runner
from receiver.hooking.schedule import HubFeeds
from receiver.hub import Hub
from receiver.result import Result
from receiver.ticket import Ticket
from shared import codec
from shared.frame import EncodedFrame
from tests.conftest import MakeFrame
from tests.receiver.bench import Bench, alive, wait_until

ISOLATIONS = pytest.mark.parametrize("isolation", ["process", "thread"])


@ISOLATIONS
def test_a_function_gives_a_result_for_each_frame(bench: Bench, isolation: str) -> None:
    bench.write("def process(frame):\n    return [frame.camera, frame.seq, frame.image.shape]")
    bench.start(isolation=isolation)

    result = bench.show()

    assert (result.state, result.value) == ("processed", ["cam1", 0, [120, 160, 3]])
    assert result.picture is result.frame
    assert result.decode > 0
    assert result.hook >= 0
    assert result.queue >= 0
    assert bench.camera().books().processed == 1


@ISOLATIONS
def test_a_class_is_set_up_once_and_torn_down(bench: Bench, isolation: str) -> None:
    bench.write(f"""
        class Counter:
            def setup(self):
                self.count = 0
            def process(self, frame):
                self.count += 1
                return self.count
            def teardown(self):
                with open({str(bench.folder / "count")!r}, "w") as file:
                    file.write(str(self.count))
    """)
    bench.start("bench_hook:Counter", isolation=isolation)
    values = [bench.show().value for _ in range(3)]
    assert bench.runner.stop()

    assert values == [1, 2, 3]
    assert (bench.folder / "count").read_text() == "3"


@ISOLATIONS
def test_a_drawn_picture_is_the_results_picture(bench: Bench, isolation: str) -> None:
    bench.write("""
        def process(frame):
            image = frame.image[:60, :80].copy()
            image[:] = 255
            return {"n": 1}, image
    """)
    bench.start(isolation=isolation)

    result = bench.show()

    image = codec.decode(result.picture.data)
    assert image.shape == (result.picture.height, result.picture.width, 3) == (60, 80, 3)
    assert image.min() > 250
    assert result.value == {"n": 1}
    assert bench.camera().annotated.peek() is result.picture


@ISOLATIONS
def test_a_raising_hook_fails_its_frame_and_goes_on(
    bench: Bench, isolation: str, caplog: pytest.LogCaptureFixture
) -> None:
    bench.write("""
        def process(frame):
            if frame.seq < 5:
                raise ValueError(f"no good: {frame.seq}")
            return "fine"
    """)
    bench.start(isolation=isolation)
    results = [bench.show() for _ in range(6)]

    assert results[0].state == "failed"
    assert results[0].error == "ValueError: no good: 0 (bench_hook.py:4)"
    traceback = str(results[0].traceback)
    assert traceback.startswith("Traceback (most recent call last):")
    assert 'bench_hook.py", line 4, in process' in traceback
    assert traceback.endswith("ValueError: no good: 0")
    assert results[0].facts()["traceback"] == traceback
    assert (results[5].value, results[5].traceback) == ("fine", None)
    assert "traceback" not in results[5].facts()
    assert bench.runner.status()[0].last_traceback == results[4].traceback
    assert caplog.text.count("Traceback") == 1, "a repeated error is counted, not repeated"
    assert bench.runner.status()[0].failed == 5


@ISOLATIONS
def test_a_returned_thing_that_nobody_can_use_fails_its_frame(bench: Bench, isolation: str) -> None:
    bench.write("def process(frame):\n    return {1, 2}")
    bench.start(isolation=isolation)

    assert str(bench.show().error).startswith("hook returned a set; expected a JSON-able value")


@ISOLATIONS
def test_a_picture_that_does_not_decode_is_no_error_of_the_hook(
    bench: Bench, isolation: str
) -> None:
    bench.write("def process(frame):\n    return frame.image.mean()")
    bench.start(isolation=isolation)

    result = bench.show(data=b"\xff\xd8 no picture \xff\xd9")

    assert "does not decode" in str(result.error)
    assert (result.state, result.traceback) == ("failed", None)
    assert bench.runner.status()[0].last_traceback is None


@ISOLATIONS
def test_an_overdue_hook_fails_its_frame_and_begins_anew(bench: Bench, isolation: str) -> None:
    bench.write("""
        import time
        def process(frame):
            if frame.seq == 0:
                time.sleep(0.8)
            return "fine"
    """)
    bench.start(timeout=0.3, isolation=isolation)

    assert str(bench.show().error).startswith("hook took longer than 0.3 s")
    assert bench.show().value == "fine"
    assert bench.runner.status()[0].restarts == 1


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("ctypes.string_at(0)", "hook died (signal 11, segmentation fault)"),
        ("sys.exit(3)", "hook died (exit code 3)"),
        ("os._exit(4)", "hook died (exit code 4)"),
        ("os.kill(os.getpid(), 9)", "hook died (signal 9, killed)"),
        ("os.closerange(3, 100); time.sleep(60)", "hook died (signal 9, killed)"),
    ],
)
def test_a_dying_hook_costs_one_frame(bench: Bench, line: str, error: str) -> None:
    bench.write(f"""
        import ctypes, os, sys, time
        def process(frame):
            if frame.seq == 1:
                {line}
            return os.getpid()
    """)
    bench.start()
    first, second, third = bench.show(), bench.show(), bench.show()

    assert (second.state, second.error) == ("failed", error)
    assert third.state == "processed"
    assert third.value != first.value, "expected a new process"
    status = bench.runner.status()[0]
    assert (status.restarts, status.last_error, status.pid) == (1, error, third.value)


def test_a_hook_that_loops_is_killed_and_tells_where_it_was(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.write("""
        def process(frame):
            while frame.seq == 0:
                pass
    """)
    bench.start(timeout=0.3)
    started = time.monotonic()
    looped = bench.show()

    assert looped.error == "hook took longer than 0.3 s and was killed"
    assert time.monotonic() - started < 20
    assert bench.show().state == "processed"
    assert "bench_hook.py" in caplog.text
    assert "in process" in caplog.text


def test_a_killed_hook_takes_what_it_started_with_it(bench: Bench) -> None:
    bench.write("""
        import subprocess, sys
        def process(frame):
            if frame.seq == 0:
                return subprocess.Popen(["sleep", "60"]).pid
            sys.exit(1)
    """)
    bench.start()
    pid = bench.show().value
    bench.show()

    wait_until("the end of the hook's own child", lambda: not alive(pid))


def test_a_hook_that_dies_and_leaves_a_fork_behind_is_missed_at_once(bench: Bench) -> None:
    bench.write("""
        import os, time
        def process(frame):
            if frame.seq == 1:
                if os.fork() == 0:
                    time.sleep(600)
                os._exit(5)
            return os.getpid()
    """)
    bench.start(timeout=600)
    bench.show()

    assert bench.show().error == "hook died (exit code 5)"
    assert bench.show().state == "processed"


def test_what_a_hook_forks_heeds_sigterm(bench: Bench) -> None:
    """As `Process.terminate` of multiprocessing expects; the hook itself does not."""
    bench.write("""
        import os, signal, time
        def process(frame):
            ours, theirs = os.pipe()
            child = os.fork()
            if child == 0:
                os.write(theirs, b"here")
                time.sleep(600)
                os._exit(0)
            os.read(ours, 4)
            os.kill(child, signal.SIGTERM)
            return os.waitpid(child, 0)[1]
    """)
    bench.start(timeout=600)

    assert bench.show().value == signal.SIGTERM


def test_a_hook_that_died_between_frames_is_replaced_at_once(bench: Bench) -> None:
    bench.write("""
        import os, threading
        def process(frame):
            if frame.seq == 0:
                threading.Timer(0.1, os._exit, [7]).start()
    """)
    bench.start()
    bench.show()

    wait_until("a restart", lambda: bench.runner.status()[0].restarts == 1 and bench.runner.ready)
    assert bench.runner.status()[0].last_error == "hook died (exit code 7)"
    assert bench.show().state == "processed"


def test_what_a_hook_prints_and_logs_is_in_the_log(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.write("""
        import logging, sys
        def process(frame):
            print("seen", frame.seq)
            logging.getLogger("mine").info("noted")
            sys.stderr.write("to stderr, no line end")
            sys.stderr.flush()
    """)
    bench.start()
    bench.show()
    bench.runner.stop()

    for line in ("seen 0", "INFO mine: noted", "to stderr, no line end"):
        assert f"hook[1] | {line}" in caplog.messages


def test_a_flood_of_output_is_cut_and_holds_up_nothing(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.write("def process(frame):\n    print('spam\\n' * 50_000)")
    bench.start(timeout=5)

    assert bench.show().state == "processed"
    assert bench.show().state == "processed"
    bench.runner.stop()
    assert len([m for m in caplog.messages if m.endswith("| spam")]) < 1000
    assert any("lines left out" in message for message in caplog.messages)


def test_a_changed_hook_is_loaded_anew_without_a_gap(
    bench: Bench, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    second = 1_700_000_000 * 10**9
    file = bench.write("def process(frame):\n    return 1")
    os.utime(file, ns=(second, second))
    bench.start()
    assert bench.show().value == 1

    # The same size within the same second: what Python's own bytecode cache takes for no change.
    draft = bench.write("def process(frame):\n    return 2", "draft.txt")
    os.utime(draft, ns=(second, second + 10**8))
    draft.replace(file)

    wait_until("the new hook", lambda: bench.show().value == 2)
    assert bench.camera().books().failed == 0
    assert bench.runner.status()[0].restarts == 0
    assert caplog.text.count("bench_hook.py changed, loaded anew") == 1


def test_a_changed_neighbour_of_the_hook_counts_too(bench: Bench) -> None:
    bench.write("VALUE = 1", "bench_neighbour.py")
    bench.write("""
        def process(frame):
            import bench_neighbour  # only now
            return bench_neighbour.VALUE
    """)
    bench.start()
    assert bench.show().value == 1

    bench.write("VALUE = 2", "bench_neighbour.py")

    wait_until("the new value", lambda: bench.show().value == 2)


def test_a_broken_edit_leaves_the_former_hook_at_work(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.write("def process(frame):\n    return 1")
    bench.start()
    bench.write("def process(frame:\n    return 2")

    wait_until("the error", lambda: bench.runner.status()[0].last_error)
    error = str(bench.runner.status()[0].last_error)
    assert "bench_hook.py:1: SyntaxError" in error
    assert error.endswith("the former version goes on")
    assert bench.show().value == 1

    bench.write("def process(frame):\n    return 3")

    wait_until("the mended hook", lambda: bench.show().value == 3)
    assert bench.runner.status()[0].last_error is None
    assert bench.runner.status()[0].last_traceback is None
    assert caplog.text.count("bench_hook.py:1: SyntaxError") == 1
    assert "hook bench_hook |     def process(frame:" in caplog.messages


def test_a_setup_that_fails_is_shown_and_tried_again(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.write(f"""
        import os
        class Hook:
            def setup(self):
                if not os.path.exists({str(bench.folder / "model")!r}):
                    raise FileNotFoundError("no model yet")
            def process(self, frame):
                return "fine"
    """)
    bench.start("bench_hook:Hook", ready=False)
    wait_until("retries", lambda: bench.runner.status()[0].restarts >= 2)
    status = bench.runner.status()[0]
    for _ in range(3):
        bench.publish()

    assert status.last_error == (
        "hook bench_hook:Hook: setup: FileNotFoundError: no model yet (bench_hook.py:6)"
    )
    assert str(status.last_traceback).endswith("FileNotFoundError: no model yet")
    assert status.loaded_at is None
    assert caplog.text.count("tried again, at once when a file of the hook is saved") == 1
    assert not bench.runner.ready
    assert caplog.text.count("Traceback") == 1
    assert bench.camera().books().superseded == 2

    (bench.folder / "model").touch()
    bench.wait_ready()

    wait_until("the frame", lambda: bench.camera().books().processed == 1)
    assert bench.show().value == "fine"


def test_a_failed_setup_is_mended_by_an_edit_at_once(bench: Bench) -> None:
    bench.write("import a_module_nobody_has")
    bench.start(ready=False)
    wait_until("the error", lambda: bench.runner.status()[0].state == "failed")
    bench.write("def process(frame):\n    return 'mended'")

    assert bench.show().value == "mended"


def test_a_setup_that_hangs_is_killed(bench: Bench) -> None:
    bench.write("""
        class Hook:
            def setup(self):
                while True: pass
            def process(self, frame): ...
    """)
    bench.start("bench_hook:Hook", ready=False, setup_timeout=0.5)

    wait_until("the error", lambda: bench.runner.status()[0].last_error)
    assert bench.runner.status()[0].last_error == "setup took longer than 0.5 s and was killed"


def test_a_slow_camera_with_a_hook_of_its_own_takes_nothing_from_the_others(bench: Bench) -> None:
    bench.write("import time\ndef process(frame):\n    time.sleep(0.5)", "bench_slow.py")
    bench.write("def process(frame):\n    return 1")
    bench.start("cam1=bench_slow", "bench_hook")
    end = time.monotonic() + 1.5
    shown = 0
    while time.monotonic() < end:
        for camera in ("cam1", "cam2", "cam3"):
            bench.publish(camera)
            shown += 1
        time.sleep(0.02)

    # Sharing the slow hook they would lose nearly all; a busy machine may cost them some.
    assert bench.camera("cam2").books().superseded <= shown // 3 // 4
    assert bench.camera("cam3").books().superseded <= shown // 3 // 4
    assert bench.camera("cam1").books().processed <= 3
    assert bench.camera("cam1").books().superseded > shown // 3 // 2


def test_a_camera_slow_in_the_common_hook_leaves_a_worker_to_the_others(bench: Bench) -> None:
    bench.write("""
        import time
        def process(frame):
            if frame.camera == "cam1":
                time.sleep(0.5)
    """)
    bench.start(workers=2)
    wait_until("both workers", lambda: all(s.state == "ready" for s in bench.runner.status()))
    for camera in ("cam1", "cam2"):
        bench.publish(camera)
    slowest = 0.0
    for _ in range(20):
        bench.publish("cam1")
        started = time.monotonic()
        bench.show("cam2")
        slowest = max(slowest, time.monotonic() - started)

    assert slowest < 0.3


def test_a_stateful_hook_sees_each_camera_in_one_worker(bench: Bench) -> None:
    bench.write("""
        import os
        class Hook:
            stateful = True
            def process(self, frame):
                return os.getpid()
    """)
    bench.start("bench_hook:Hook", workers=2)
    wait_until("both workers", lambda: all(s.state == "ready" for s in bench.runner.status()))
    pids = {camera: {bench.show(camera).value for _ in range(6)} for camera in ("a", "b", "c")}

    assert [len(found) for found in pids.values()] == [1, 1, 1]
    assert pids["a"] == pids["c"] != pids["b"]


def test_a_result_that_comes_out_of_order_is_counted_not_shown(bench: Bench) -> None:
    bench.write("""
        import time
        def process(frame):
            if frame.seq == 0:
                time.sleep(0.5)
            return frame.seq
    """)
    bench.start(workers=2)
    wait_until("both workers", lambda: all(s.state == "ready" for s in bench.runner.status()))
    bench.publish()
    wait_until("it is in the hook", lambda: bench.camera().pending.counts()[0] == 1)
    assert bench.show().value == 1

    wait_until("the first", lambda: bench.camera().books().processed == 2)
    newest = bench.camera().results.peek()
    assert newest is not None
    assert newest.value == 1


def test_a_camera_without_a_hook_is_left_alone(bench: Bench) -> None:
    bench.write("def process(frame):\n    return 1")
    bench.start("cam1=bench_hook")
    bench.publish("cam2")
    bench.publish("cam2")

    assert bench.show("cam1").value == 1
    books = bench.camera("cam2").books()
    assert (books.superseded, books.waiting) == (1, 1)


def test_frames_that_came_before_the_start_are_taken(bench: Bench) -> None:
    bench.write("def process(frame):\n    return 1")
    bench.publish()
    bench.start()

    wait_until("the frame", lambda: bench.camera().books().processed == 1)


@ISOLATIONS
def test_stop_waits_for_the_frame_at_hand(bench: Bench, isolation: str) -> None:
    bench.write("import time\ndef process(frame):\n    time.sleep(0.3)\n    return 1")
    bench.start(isolation=isolation)
    bench.publish()
    wait_until("it is in the hook", lambda: bench.runner.status()[0].state == "busy")

    assert bench.runner.stop()
    assert bench.camera().books().processed == 1


@ISOLATIONS
def test_a_frame_whose_hook_is_not_done_at_the_stop_has_no_result(
    bench: Bench, isolation: str, make_frame: MakeFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_worker, "GRACE", 0.2)
    monkeypatch.setattr(thread_worker, "_GRACE", 0.2)
    go_on = bench.folder / "go_on"
    bench.write(
        "import pathlib, time\ndef process(frame):\n"
        f"    while not pathlib.Path({str(go_on)!r}).exists(): time.sleep(0.01)\n"
    )
    bench.start(isolation=isolation)
    ticket = Ticket()
    bench.hub.publish(make_frame(0), every=True, ticket=ticket)
    wait_until("it is in the hook", lambda: bench.runner.status()[0].state == "busy")

    assert bench.runner.stop()
    go_on.touch()

    assert ticket.state == "closed", "who waits may send it again"
    assert bench.camera().results.peek() is None
    assert bench.hub.publish(make_frame(0), every=True) == "accepted"


def test_a_hook_goes_on_when_all_of_the_service_are_asked_to_end(
    bench: Bench, make_frame: MakeFrame
) -> None:
    """As systemd does, which sends SIGTERM to every process of a service."""
    bench.write("import time\ndef process(frame):\n    time.sleep(0.3)\n    return 1")
    bench.start()
    ticket = Ticket()
    bench.hub.publish(make_frame(0), every=True, ticket=ticket)
    wait_until("it is in the hook", lambda: bench.runner.status()[0].state == "busy")

    os.kill(bench.runner.status()[0].pid or 0, signal.SIGTERM)

    assert ticket.wait(30)
    assert ticket.state == "processed"


def test_stop_does_not_wait_for_ever(bench: Bench) -> None:
    bench.write("def process(frame):\n    while True: pass")
    bench.write(
        "class Hook:\n    def process(self, frame): ...\n"
        "    def teardown(self):\n        while True: pass",
        "bench_teardown.py",
    )
    bench.start("cam1=bench_hook", "bench_teardown:Hook")
    bench.publish("cam1")
    wait_until("it is in the hook", lambda: bench.runner.status()[0].state == "busy")
    started = time.monotonic()

    assert bench.runner.stop()
    assert time.monotonic() - started < 20
    assert bench.camera().books().failed == 1


def test_a_result_is_finished_before_books_say_so(bench: Bench) -> None:
    """Publish and stop from several threads at once: the sums close at the end."""
    bench.write("def process(frame):\n    return 1")
    bench.start(workers=2)
    threads = [
        threading.Thread(target=lambda c=c: [bench.publish(c) for _ in range(200)])
        for c in ("a", "b")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    bench.runner.stop()

    bench.check_books()


def test_the_hook_has_its_next_frame_before_the_last_answer_is_entered(bench: Bench) -> None:
    class Books:
        """Note how many frames wait when a result is entered."""

        def __init__(self) -> None:
            self.waiting: list[int] = []

        def received(self, frame: EncodedFrame) -> None: ...
        def forgotten(self, camera: str) -> None: ...
        def closed(self) -> None: ...
        def finished(self, result: Result) -> None:
            self.waiting.append(len(bench.camera().pending))

    books = Books()
    bench.hub = Hub(observers=[books])
    bench.write(f"""
        import os, time
        def process(frame):
            while not os.path.exists({str(bench.folder / "go")!r}):
                time.sleep(0.01)
    """)
    bench.start()
    bench.publish()
    wait_until("the hook to have it", lambda: len(bench.camera().pending) == 0)
    bench.publish()
    (bench.folder / "go").touch()
    wait_until("both results", lambda: len(books.waiting) == 2)

    assert books.waiting == [0, 0]


def test_a_hook_nobody_has_is_refused_before_anything_starts() -> None:
    with pytest.raises(HookError, match="there is no module 'nobody'"):
        Runner(HubFeeds(Hub()), [HookSpec.parse("nobody:process")])


def test_two_hooks_for_one_camera_are_refused() -> None:
    specs = [HookSpec.parse("cam1=hooks.brightness"), HookSpec.parse("cam1=hooks.edges")]

    with pytest.raises(HookError, match="expected one hook for camera cam1, got more"):
        Runner(HubFeeds(Hub()), specs)


def test_status_is_ready_for_json(bench: Bench) -> None:
    bench.write("def process(frame):\n    return 1")
    bench.start("cam1=bench_hook")
    status = dataclasses.asdict(bench.runner.status()[0])

    assert time.time() - 10 < status["loaded_at"] <= time.time()
    assert status | {"pid": 0, "since": 0, "loaded_at": 0} == {
        "hook": "bench_hook",
        "camera": "cam1",
        "worker": 1,
        "state": "ready",
        "pid": 0,
        "since": 0,
        "restarts": 0,
        "last_error": None,
        "last_traceback": None,
        "processed": 0,
        "failed": 0,
        "loaded_at": 0,
        "loading": False,
        "timeouts": 0,
    }


def test_numpy_values_come_back_as_plain_ones(bench: Bench) -> None:
    bench.write("""
        import numpy as np
        def process(frame):
            return {"a": np.arange(3), "b": np.float32(0.5), "c": float("nan"), 4: np.bool_(True)}
    """)
    bench.start()

    assert bench.show().value == {"a": [0, 1, 2], "b": 0.5, "c": None, "4": True}
    assert np.isfinite(bench.runner.status()[0].since)
