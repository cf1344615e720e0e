from __future__ import annotations

import pytest

from benchmarks.measuring import pairs
from benchmarks.measuring.pairs import Pair

HERE = Pair("here", "classic", ("flask",))


def test_a_rival_that_is_not_installed_is_told_and_left_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lacking = Pair("lacking", "lacking", ("no_such_package",))

    assert pairs.present([lacking, HERE]) == [HERE]
    assert capsys.readouterr().out == (
        "no_such_package: not installed; pip install -r requirements-bench.txt\n"
    )


def test_a_broker_that_is_not_installed_is_told_with_the_line_that_installs_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    broker = Pair("broker", "redis", (), has_broker=True)

    assert pairs.present([broker, HERE]) == [HERE]
    assert capsys.readouterr().out == "redis-server: not installed; apt-get install redis-server\n"


@pytest.mark.parametrize("pair", [*pairs.RIVALS, pairs.EARLY], ids=lambda pair: pair.name)
def test_every_rival_has_its_programs(pair: Pair) -> None:
    folder = pairs.PROGRAMS

    assert (folder / f"{pair.module}_send.py").exists()
    assert (folder / f"{pair.module}_receive.py").exists()
