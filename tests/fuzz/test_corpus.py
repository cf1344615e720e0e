"""What fuzzing begins with, and all that it ever found, hurts no more."""

from __future__ import annotations

import pytest

from tests.fuzz.target import CORPUS
from tests.fuzz.targets import TARGETS


@pytest.mark.parametrize("name", TARGETS)
def test_what_was_found_once_hurts_no_more(name: str) -> None:
    for data in TARGETS[name].start(name):
        TARGETS[name].run(data)


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_that_are_cut_off_or_damaged_hurt_nobody(name: str) -> None:
    for seed in TARGETS[name].seeds:
        step = 1 + len(seed) // 50
        for at in range(0, len(seed), step):
            TARGETS[name].run(seed[:at])
            TARGETS[name].run(seed[:at] + bytes([seed[at] ^ 0x41]) + seed[at + 1 :])


def test_every_find_is_one_of_a_target_that_there_is() -> None:
    assert {path.name for path in CORPUS.iterdir()} <= set(TARGETS)
