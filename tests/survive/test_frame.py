"""What runs the trials says the truth of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.survive import __main__ as command
from tests.survive import catalogue, record
from tests.survive.trial import Broken, Figures, Run, Trial, Unable


def keep(run: Run) -> Figures:
    run.check(not run.disarmed, "the dam broke")
    return {"number": run.random.randrange(1000)}


def lack(run: Run) -> Figures:
    raise Unable("apt-get install dam")


def hold(run: Run) -> Figures:
    return {}


SOUND = Trial("sound", "the dam holds", keep, disarm="the dam")
LACKING = Trial("lacking", "the dam holds", lack)
STUBBORN = Trial("stubborn", "the dam holds", hold, disarm="nothing, by mistake")


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(record, "FOLDER", tmp_path)
    trials = {trial.name: trial for trial in (SOUND, LACKING, STUBBORN)}
    monkeypatch.setattr(catalogue, "every", lambda: trials)


def test_a_promise_that_is_kept_ends_with_0_and_stands_in_the_record(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command.main(["sound", "--seed", "7"]) == 0

    entry = record.read("sound")["run"]
    assert entry["state"] == "kept"
    assert entry["command"] == "python -m tests.survive sound --seed 7"
    assert f"number={entry['figures']['number']}" in capsys.readouterr().out


def test_the_same_seed_meets_the_same_chances() -> None:
    numbers = []
    for seed in ("7", "7", "8"):
        command.main(["sound", "--seed", seed])
        numbers.append(record.read("sound")["run"]["figures"]["number"])

    assert numbers[0] == numbers[1] != numbers[2]


def test_a_disarmed_promise_must_break_and_the_sentence_is_kept() -> None:
    assert command.main(["sound", "--disarmed"]) == 0
    assert command.main(["sound", "stubborn", "--disarmed"]) == 1

    disarmed = record.read("sound")["disarmed"]
    assert (disarmed["sentence"], disarmed["took_away"]) == ("the dam broke", "the dam")
    assert record.read("stubborn")["disarmed"]["state"] == "kept"


def test_what_cannot_run_here_is_not_told_as_kept(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command.main(["lacking"]) == 1

    assert "apt-get install dam" in capsys.readouterr().out
    assert record.read("lacking")["run"]["state"] == "unable"


def test_an_unknown_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["sund"])

    assert "got sund" in capsys.readouterr().err


def test_every_trial_has_a_name_of_its_own_and_a_topic_of_tests() -> None:
    here = Path(__file__).parent
    names = [trial.name for topic in catalogue.topics() for trial in catalogue.of(topic)]

    assert len(names) == len(set(names))
    for topic in catalogue.topics():
        assert (here / f"test_{topic}.py").exists(), f"tests/survive/test_{topic}.py is missing"


def test_a_check_that_fails_is_broken(tmp_path: Path) -> None:
    with pytest.raises(Broken, match="too late"):
        Run(seed=1, folder=tmp_path).check(False, "too late")
