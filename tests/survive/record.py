"""Record: what the last run of each trial said, a file of JSON each."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.measuring.summary import RESULTS, environment
from tests.survive.trial import Figures, Run, Trial

FOLDER = RESULTS / "survive"


@dataclass(frozen=True)
class Outcome:
    """What a run came to; a disarmed one that did what it should is "broken"."""

    #: kept | broken | unable
    state: str
    #: Why it is not kept.
    sentence: str
    seconds: float
    figures: Figures = field(default_factory=dict)


def enter(trial: Trial, run: Run, outcome: Outcome) -> None:
    """Write what `run` came to in place of the last run of its kind."""
    form = " --quick" if run.quick else ""
    armed = " --disarmed" if run.disarmed else ""
    content = read(trial.name) | {
        "promise": trial.promise,
        "disarmed" if run.disarmed else "run": {
            "command": f"python -m tests.survive {trial.name} --seed {run.seed}{form}{armed}",
            "date": time.strftime("%Y-%m-%d", time.gmtime()),
            **({"took_away": trial.disarm} if run.disarmed else {}),
            **asdict(outcome),
        },
        "environment": environment(),
    }
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{trial.name}.json"
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def read(name: str) -> dict[str, Any]:
    """Return what is known of the last runs of the trial `name`: of none, nothing."""
    path = FOLDER / f"{name}.json"
    if not path.exists():
        return {}
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
