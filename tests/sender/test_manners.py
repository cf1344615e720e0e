"""Fifty senders of one receiver that goes away and comes back, by a clock of their own.

Each has a real Turn with the real Backoff, and posts the newest of its camera's frames.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from sender.courier import Courier, make_trouble
from sender.endpoint import Endpoint
from sender.limits import Limits
from sender.receiver_clock import ReceiverClock
from sender.turn import Turn
from shared.backoff import Backoff
from tests.sender.doubles import FakeClient, reply

SENDERS = 50
FPS = 10.0
STEADY = SENDERS * FPS
LOST_AT = 5.0
BACK_AT = 25.0


def make_courier() -> Courier:
    return Courier(
        FakeClient(),
        Endpoint.parse("http://h", "cam1"),
        limits=Limits("cam1"),
        receiver_clock=ReceiverClock(),
        trouble=make_trouble("cam1"),
    )


@dataclass
class Simulation:
    """What each request met, with a virtual clock.

    `answer` says what one gets at a time: "202", "nobody" for no reply, else the Retry-After of a
    refusal.
    """

    answer: Callable[[float], str]
    #: Makes each sender's backoff; without, the turn's own.
    backoff: Callable[[random.Random], Backoff] | None = None
    seed: int = 7
    now: float = 0.0
    #: When requests were made, and by whom.
    requests: list[tuple[float, int]] = field(default_factory=list)

    def run(self, until: float) -> list[float]:
        """Return when requests were made."""
        rng = random.Random(self.seed)
        turns = []
        courier = make_courier()
        for _ in range(SENDERS):
            backoff = None if self.backoff is None else self.backoff(rng)
            turns.append(Turn(backoff=backoff, clock=lambda: self.now))
            if backoff is None:
                turns[-1]._backoff._rng = rng
        # Cameras are not in step with each other.
        due = [(rng.uniform(0, 1 / FPS), number) for number in range(SENDERS)]
        heapq.heapify(due)
        while due[0][0] < until:
            self.now, number = heapq.heappop(due)
            turn = turns[number]
            assert turn.take(0, 0.001)
            self.requests.append((self.now, number))
            said = self.answer(self.now)
            if said == "202":
                turn.worked()
            elif said == "nobody":
                turn.rest()
            else:
                rest = courier.refused(reply(503, Retry_After=said))
                assert rest is not None
                turn.rest(rest)
            turn.give(0)
            rest = turn._rests_until - self.now
            heapq.heappush(due, (self.now + max(rest, 1 / FPS), number))
        return [at for at, _ in self.requests]


def away(at: float) -> str:
    return "nobody" if LOST_AT <= at < BACK_AT else "202"


def full(asked: str) -> Callable[[float], str]:
    return lambda at: asked if LOST_AT <= at < BACK_AT else "202"


def largest_bin(times: list[float], start: float) -> float:
    """Return how many of a steady second's requests one tenth of the first second had."""
    bins = Counter(int((at - start) * 10) for at in times if start <= at < start + 1)
    return max(bins.values()) / STEADY


@pytest.mark.parametrize("seed", range(5))
def test_many_senders_do_not_come_back_in_one_burst(seed: int) -> None:
    times = Simulation(away, seed=seed).run(BACK_AT + 5)

    first = [at for at in times if BACK_AT <= at < BACK_AT + 1]
    assert len(first) < 2 * STEADY
    assert largest_bin(times, BACK_AT) < 0.15


def test_all_of_them_are_back_within_two_seconds() -> None:
    simulation = Simulation(away)
    simulation.run(BACK_AT + 2)

    assert len({who for at, who in simulation.requests if at >= BACK_AT}) == SENDERS


@pytest.mark.parametrize("asked", ["", "0", "-1", "soon", "1", "3", "99999"])
def test_who_is_refused_asks_less_than_five_times_a_second(asked: str) -> None:
    simulation = Simulation(full(asked))
    simulation.run(BACK_AT)

    for number in range(SENDERS):
        mine = [at for at, who in simulation.requests if who == number and at > LOST_AT]
        for start in mine:
            assert sum(start <= at < start + 1 for at in mine) < 5


@pytest.mark.parametrize(("asked", "seconds"), [("1", 1.0), ("3", 3.0), ("99999", 60.0)])
def test_nobody_comes_earlier_than_was_asked_nor_all_at_once(asked: str, seconds: float) -> None:
    """All are told the same at the same moment, and come back spread over a second at least."""
    simulation = Simulation(full(asked))
    simulation.run(LOST_AT + 100)
    told: dict[int, float] = {}
    pauses = []
    for at, who in simulation.requests:
        if who in told:
            pauses.append(at - told.pop(who))
        elif LOST_AT <= at < LOST_AT + 0.2:
            told[who] = at

    assert len(pauses) == SENDERS
    assert min(pauses) >= seconds
    assert max(pauses) <= seconds + max(1.0, seconds / 4) + 0.001
    counts = Counter(int((pause - seconds) * 10) for pause in pauses)
    assert max(counts.values()) < 0.3 * SENDERS


class Even(random.Random):
    """No jitter."""

    def uniform(self, a: float, b: float) -> float:
        return b


@pytest.mark.parametrize("answer", [away, full("3")])
def test_without_jitter_they_would(answer: Callable[[float], str]) -> None:
    """The measure sees what it is for: the same senders, whose pauses are all alike."""
    rng = Even()
    simulation = Simulation(answer, backoff=lambda _: Backoff(0.2, 1.0, rng=rng))
    times = simulation.run(BACK_AT + 5)

    lost = [at for at in times if LOST_AT + 1 < at < BACK_AT + 1]
    whole = Counter(round((at - LOST_AT) % 1.0, 1) % 1.0 for at in lost)
    assert max(whole.values()) > 0.15 * len(lost)
