"""What Prometheus is told of hooks: their states, losses, and what their processes cost."""

from __future__ import annotations

from pathlib import Path

from tests.conftest import MakeFrame
from tests.receiver.bench import Bench, wait_until


def values(bench: Bench) -> dict[tuple[str, ...], float]:
    """Return the newest values, by name and by what is no worker's label."""
    found = {}
    for family in bench.runner.collect():
        for sample in family.samples:
            assert sample.labels.pop("hook") == "bench_hook.py:process"
            assert sample.labels.pop("worker") == "1"
            found[sample.name, *sample.labels.values()] = sample.value
    return found


def test_a_hook_that_raises_then_hangs_is_told(tmp_path: Path, make_frame: MakeFrame) -> None:
    with Bench(tmp_path, make_frame) as bench:
        path = bench.write("""
            import time
            def process(frame):
                if frame.seq == 1:
                    raise ValueError("no")
                if frame.seq == 2:
                    time.sleep(30)
        """)
        bench.start(f"{path}:process", timeout=0.5)
        for _ in range(3):
            bench.show()
        wait_until("the hook again", lambda: values(bench)["framepost_hook_up",] == 1)
        found = values(bench)

    assert found["framepost_hook_frames_total", "processed"] == 1
    assert found["framepost_hook_frames_total", "failed"] == 2
    assert found["framepost_hook_timeouts_total",] == 1
    assert found["framepost_hook_restarts_total",] == 1
    states = {key[1]: found[key] for key in found if key[0] == "framepost_hook_state"}
    assert sum(states.values()) == 1
    assert states["ready"] or states["busy"]
    assert found["framepost_hook_process_resident_memory_bytes",] > 1e6
    assert found["framepost_hook_process_threads",] >= 1
    assert found["framepost_hook_process_open_fds",] > 2
    assert found["framepost_hook_process_cpu_seconds_total",] > 0
