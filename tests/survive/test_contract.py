"""The long form of tests/test_contract.py says what that said."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.survive.trial import Broken, Run
from tests.survive.trials.contract import read

SAID = "..\n5017 requests were answered\n\n44 passed in 9.99s\n"


def test_enough_requests_that_were_answered_rightly_are_a_kept_promise(tmp_path: Path) -> None:
    figures = read(Run(seed=1, folder=tmp_path), 0, SAID)

    assert figures == {"operations": 44, "requests": 5017}


@pytest.mark.parametrize(("status", "said"), [(1, SAID), (0, SAID.replace("5017", "4999"))])
def test_a_wrong_answer_or_too_few_are_a_broken_one(status: int, said: str, tmp_path: Path) -> None:
    with pytest.raises(Broken):
        read(Run(seed=1, folder=tmp_path), status, said)
