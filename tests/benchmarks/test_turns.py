"""What the benchmarks of ingest, hooks and passthrough make of what they measured."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from benchmarks import hooks, ingest
from benchmarks.measuring.contest import turn_of
from benchmarks.passthrough import Digests, share
from benchmarks.programs import busy
from shared import jpeg


def digest(number: int) -> bytes:
    return hashlib.sha256(bytes([number])).digest()


def test_a_ratio_is_of_two_workers_to_one_of_the_same_contestant() -> None:
    rates = {
        "Framepost, no hook": 0.0,
        "Framepost, 1 worker": 50.0,
        "Framepost, 2 workers": 95.0,
        "LitServe, 1 worker": 40.0,
        "LitServe, 2 workers": 60.0,
    }

    ratios = hooks.ratios({name: {"runs_per_second": rate} for name, rate in rates.items()})

    assert ratios == {"Framepost": 1.9, "LitServe": 1.5}


def test_a_frame_that_nobody_sent_is_altered(tmp_path: Path) -> None:
    digests = Digests(tmp_path)
    digests.sent.write_bytes(digest(1) + digest(2) + digest(3))
    digests.arrived.write_bytes(digest(1) + digest(4))

    assert digests.compare() == {"sent": 3, "arrived": 2, "altered": 1}


def test_a_share_is_of_one_core() -> None:
    turn = turn_of([], 8.0, cpu={"sender": 0.2}, memory={"sender": 1})

    assert share(turn, "sender") == pytest.approx(2.5)


def test_pictures_are_encoded_to_about_the_size_that_is_wished() -> None:
    pictures = ingest.jpegs(None, 150_000)

    assert sum(map(len, pictures)) / len(pictures) == pytest.approx(150_000, rel=0.1)
    assert jpeg.read_header(pictures[0]).width == 1920


def test_more_turns_of_the_loop_for_more_work() -> None:
    assert busy.turns_of(0.02) > busy.turns_of(0.005) > 1000


def test_each_run_of_the_busy_hook_is_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = tmp_path / "notes"
    monkeypatch.setenv(busy.TURNS, "10")
    monkeypatch.setenv(busy.NOTES, str(notes))
    assert busy.runs(notes) == 0

    hook = busy.Busy()
    hook.setup()
    hook.run()
    hook.run()
    hook.teardown()

    assert busy.runs(notes) == 2
