"""Loading a hook anew without a change of its file."""

from __future__ import annotations

import pytest

from receiver.hooking.runner import ReloadRefused
from tests.receiver.bench import Bench, wait_until

#: Reads a file that is no part of the hook's code, as one does who reads a model.
MODEL = """
    from pathlib import Path

    class Hook:
        def setup(self):
            self.model = Path(__file__).with_name("model").read_text()
        def process(self, frame):
            return self.model
"""


def test_the_version_that_serves_goes_on_until_the_new_one_does(bench: Bench) -> None:
    bench.write(MODEL)
    bench.write("one", "model")
    bench.start("bench_hook:Hook")
    assert bench.show().value == "one"
    before = bench.runner.status()[0]
    bench.write("two", "model")

    workers = bench.runner.reload("bench_hook:Hook")

    assert [(each.worker, each.loading) for each in workers] == [(1, True)]
    wait_until("the new model", lambda: bench.show().value == "two")
    after = bench.runner.status()[0]
    assert bench.camera().books().failed == 0
    assert (after.restarts, after.loading) == (0, False)
    assert before.loaded_at is not None
    assert after.loaded_at is not None
    assert after.loaded_at > before.loaded_at
    said = [line.line for line in bench.runner.log.newest(9)[0]]
    assert said[-1] == "loaded anew, as was asked for"


def test_a_version_that_does_not_load_leaves_the_former_one_at_work(bench: Bench) -> None:
    bench.write(MODEL)
    model = bench.write("one", "model")
    bench.start("bench_hook:Hook")
    bench.show()
    model.unlink()

    bench.runner.reload()

    wait_until("the error", lambda: bench.runner.status()[0].last_error)
    status = bench.runner.status()[0]
    assert str(status.last_error).endswith("; the former version goes on")
    assert "FileNotFoundError" in str(status.last_traceback)
    assert (status.state, status.loading) == ("ready", False)
    assert bench.show().value == "one"


def test_a_hook_that_does_not_load_is_tried_at_once(bench: Bench) -> None:
    bench.write(MODEL)
    bench.start("bench_hook:Hook", ready=False)
    wait_until("long pauses", lambda: bench.runner.status()[0].restarts >= 5, 30)
    wait_until("a pause", lambda: not bench.runner.status()[0].loading)
    bench.write("one", "model")

    bench.runner.reload()

    bench.wait_ready()
    assert bench.show().value == "one"
    said = [line.line for line in bench.runner.log.newest(1)[0]]
    assert said == ["loaded anew, as was asked for"], "it waited for its time"


def test_only_the_hook_that_is_named_is_loaded_anew(bench: Bench) -> None:
    bench.write("def process(frame):\n    return 1")
    bench.write("def process(frame):\n    return 2", "bench_other.py")
    bench.start("bench_hook", "cam2=bench_other", workers=2)
    wait_until("all", lambda: not any(each.loading for each in bench.runner.status()))
    pids = [each.pid for each in bench.runner.status()]

    assert [each.worker for each in bench.runner.reload("bench_other")] == [3, 4]

    def changed() -> list[bool]:
        return [each.pid != pid for each, pid in zip(bench.runner.status(), pids, strict=True)]

    wait_until("both of its workers", lambda: changed() == [False, False, True, True])


def test_one_that_is_being_loaded_is_left_alone(bench: Bench) -> None:
    bench.write("""
        import time
        from pathlib import Path
        class Hook:
            def setup(self):
                while not Path(__file__).with_name("go").exists():
                    time.sleep(0.01)
            def process(self, frame):
                return 1
    """)
    bench.start("bench_hook:Hook", ready=False)
    wait_until("the start", lambda: bench.runner.status()[0].loading)

    with pytest.raises(ReloadRefused, match="bench_hook:Hook is being loaded already") as caught:
        bench.runner.reload()

    assert caught.value.after is None
    (bench.folder / "go").touch()
    bench.wait_ready()


def test_reloads_are_bounded_in_time(bench: Bench) -> None:
    now = 100.0
    bench.write("def process(frame):\n    return 1")
    bench.start(clock=lambda: now)
    wait_until("the hook", lambda: not bench.runner.status()[0].loading)
    bench.runner.reload()
    wait_until("the new one", lambda: not bench.runner.status()[0].loading)

    now = 101.5
    with pytest.raises(ReloadRefused, match="expected at most one in 2 s") as caught:
        bench.runner.reload()
    assert caught.value.after == 0.5

    now = 102.0
    bench.runner.reload()


def test_in_a_thread_nothing_is_loaded_anew(bench: Bench) -> None:
    bench.write("def process(frame):\n    return 1")
    bench.start(isolation="thread")

    with pytest.raises(ReloadRefused, match=r"--isolation thread.*restart the receiver"):
        bench.runner.reload()
