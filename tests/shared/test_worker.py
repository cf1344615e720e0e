from __future__ import annotations

import threading
from collections import Counter

import pytest

from shared.backoff import Backoff
from shared.rate import Rate
from shared.worker import Worker


class Counting(Worker):
    def __init__(self, *, fail_at: int | None = None) -> None:
        super().__init__("counting")
        self.calls: list[str] = []
        self.stepped = threading.Event()
        self._fail_at = fail_at

    def open(self) -> None:
        self.calls.append("open")

    def step(self) -> None:
        self.calls.append("step")
        self.stepped.set()
        if len(self.calls) == self._fail_at:
            raise RuntimeError("a bug")
        self.pause(10)

    def close(self) -> None:
        self.calls.append("close")


def test_stop_cuts_a_pause_short_and_closes() -> None:
    worker = Counting().start()
    assert worker.stepped.wait(30)

    assert worker.stop(timeout=5)

    assert worker.calls == ["open", "step", "close"]
    assert not worker.alive


def test_a_bug_ends_the_thread_and_is_kept(caplog: pytest.LogCaptureFixture) -> None:
    worker = Counting(fail_at=2).start()
    assert worker.stepped.wait(30)
    worker.stop()

    assert isinstance(worker.error, RuntimeError)
    assert worker.calls[-1] == "close"
    assert "counting died" in caplog.text


def test_a_step_can_be_called_without_a_thread() -> None:
    worker = Counting()
    worker.finish()
    worker.step()

    assert worker.calls == ["step"]


def test_a_worker_that_will_not_stop_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    release = threading.Event()

    class Stuck(Worker):
        def step(self) -> None:
            release.wait(60)

    worker = Stuck("stuck").start()

    assert not worker.stop(timeout=0.05)
    assert "stuck did not stop" in caplog.text
    release.set()
    assert worker.stop()


def test_pauses_grow_to_a_ceiling_and_start_over() -> None:
    backoff = Backoff(0.5, 4.0)
    pauses = [backoff.next() for _ in range(6)]

    for pause, whole in zip(pauses, [0.5, 1, 2, 4, 4, 4], strict=True):
        assert 0.25 <= pause <= whole
    backoff.reset()
    assert backoff.next() <= 0.5


def test_pauses_of_many_clients_differ() -> None:
    assert len({Backoff(1.0).next() for _ in range(20)}) == 20


@pytest.mark.parametrize(("asked", "most"), [(0.001, 1.001), (3.0, 4.0), (60.0, 75.0)])
def test_what_a_server_asks_for_is_stretched_and_never_cut_short(asked: float, most: float) -> None:
    pauses = [Backoff(0.001, 0.001).next(asked) for _ in range(200)]

    assert asked <= min(pauses)
    assert max(pauses) <= most
    # Many of the same second would be a burst.
    counts = Counter(int((pause - asked) / (most - asked) * 10) for pause in pauses)
    assert max(counts.values()) < 60


def test_the_pause_is_not_shorter_than_its_own_for_a_server_that_asks_for_less() -> None:
    backoff = Backoff(8.0, 8.0)

    assert backoff.next(0.5) >= 4.0


def test_a_rate_falls_to_zero_when_events_stop() -> None:
    now = [0.0]
    rate = Rate(5.0, clock=lambda: now[0])
    for _ in range(100):
        now[0] += 0.1
        rate.tick()

    assert rate.per_second() == pytest.approx(10.0, abs=0.3)
    now[0] += 6
    assert rate.per_second() == 0


def test_a_young_rate_is_not_diluted_by_the_time_before() -> None:
    now = [100.0]
    rate = Rate(5.0, clock=lambda: now[0])
    for _ in range(20):
        now[0] += 0.1
        rate.tick()

    assert rate.per_second() == pytest.approx(10.0, abs=0.6)
