"""The document of the trials has every trial, as the record has it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.survive import catalogue, page, record
from tests.survive.trial import Run, Trial

REMEDY = "run python -m tests.survive.page"


def test_the_page_has_every_trial() -> None:
    text = page.PAGE.read_text(encoding="utf-8")

    for trial in catalogue.every().values():
        assert f"\n| `{trial.name}` | " in text, f"{trial.name} is not in {page.PAGE}: {REMEDY}"


def test_a_row_says_what_was_seen_and_what_was_said_without_the_defence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def nothing(run: Run) -> dict[str, float | int | str]:
        return {}

    whole = Trial("dam", "the dam | holds", nothing, disarm="the dam")
    fresh = Trial("fresh", "a new one", nothing, disarm="its roof")
    plain = Trial("plain", "has nothing to take away", nothing)
    trials = {trial.name: trial for trial in (whole, fresh, plain)}
    monkeypatch.setattr(catalogue, "every", lambda: trials)
    monkeypatch.setattr(record, "FOLDER", tmp_path)
    run = {
        "command": "python -m tests.survive dam --seed 1 --quick",
        "date": "2026-01-02",
        "state": "kept",
        "sentence": "",
        "seconds": 3.4,
        "figures": {"drops_lost": 7},
    }
    disarmed = run | {"state": "broken", "sentence": "a flood\nof words", "took_away": "the dam"}
    broken = run | {"state": "broken", "sentence": "it broke"}
    (tmp_path / "dam.json").write_text(json.dumps({"run": run, "disarmed": disarmed}))
    (tmp_path / "plain.json").write_text(json.dumps({"run": broken}))

    rows = page.table().splitlines()[2:]

    assert rows[0] == (
        "| `dam` | the dam \\| holds | drops lost 7 (short form, 3 s, 2026-01-02) |"
        " the dam: a flood |"
    )
    assert rows[1] == "| `fresh` | a new one | not run yet | its roof: not run yet |"
    assert "**broken**: it broke" in rows[2]
    assert rows[2].endswith("| – |")
