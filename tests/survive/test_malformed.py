"""Malformed requests harm nobody."""

from __future__ import annotations

from pathlib import Path

from tests.malformed import make
from tests.survive import short
from tests.survive.trial import Trial


@short.kept("malformed")
def test_a_promise_is_kept_in_a_short_run(trial: Trial, tmp_path: Path) -> None:
    short.keep(trial, tmp_path)


def test_the_requests_are_what_the_generator_makes() -> None:
    on_disk = {path.name: path.read_bytes() for path in make.FOLDER.iterdir()}
    made = make.files()
    again = "run: python -m tests.malformed.make"

    assert set(on_disk) == set(made), again
    assert [name for name in made if made[name] != on_disk[name]] == [], again
