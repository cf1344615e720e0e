"""Each alert of deploy/alerts.yml fires when it should, not before, and else never (promtool)."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import missing
from tests.program import ROOT

RULES = ROOT / "deploy" / "alerts.yml"
ALERTS: list[dict[str, Any]] = yaml.safe_load(RULES.read_text("utf-8"))["groups"][0]["rules"]
#: Seconds: all is well until then; then so long until an alert must have come (its `for` besides).
ONSET = 120
WINDOW = 90
STEP = 5


@dataclass(frozen=True, slots=True)
class Rate:
    """A counter that rises by so much a second, before and from the onset on."""

    before: float
    then: float


#: A gauge's value before and from the onset on, or a counter.
Course = tuple[float, float] | Rate

#: What makes each alert fire.
BAD: dict[str, dict[str, Course]] = {
    "ReceiverDown": {'up{job="receiver"}': (1, 0)},
    "SenderDown": {'up{job="sender"}': (1, 0)},
    "WorkerDown": {'up{job="worker"}': (1, 0)},
    "CameraStale": {'framepost_camera_live{camera="door"}': (1, 0)},
    "CameraFrozen": {'framepost_camera_frozen{camera="door"}': (0, 1)},
    "CameraUnreadable": {
        'framepost_sender_camera_state{camera="door",state="live"}': (1, 0),
        'framepost_sender_camera_state{camera="door",state="retrying"}': (0, 1),
    },
    "HookDown": {'framepost_hook_up{hook="h",worker="1"}': (1, 0)},
    "HookRestarting": {'framepost_hook_restarts_total{hook="h",worker="1"}': Rate(0, 0.1)},
    "HookFailing": {
        'framepost_frames_failed_total{camera="door"}': Rate(0, 2),
        'framepost_frames_processed_total{camera="door"}': Rate(10, 8),
    },
    "HookTooSlow": {
        'framepost_frames_superseded_total{camera="door"}': Rate(1, 8),
        'framepost_frames_received_total{camera="door"}': Rate(10, 10),
    },
    "SenderTooSlow": {
        'framepost_sender_frames_superseded_total{camera="door"}': Rate(0.1, 5),
        'framepost_sender_frames_captured_total{camera="door"}': Rate(10, 10),
    },
    "FramesNotTaken": {
        'framepost_sender_frames_failed_total{camera="door",reason="connect"}': Rate(0, 0),
        'framepost_sender_frames_refused_total{camera="door",status="503"}': Rate(0, 1),
    },
    "QueueFull": {
        'framepost_frames_queued{camera="door"}': (3, 16),
        "framepost_queue_limit": (16, 16),
    },
    "SeatsFull": {
        'framepost_seats_taken{kind="viewers"}': (3, 100),
        'framepost_seats_limit{kind="viewers"}': (100, 100),
    },
    "BusDown": {"framepost_bus_up": (1, 0)},
    "BusLosing": {"framepost_bus_frames_lost_total": Rate(0, 1)},
    "ListenerDown": {'framepost_listener_up{url="redis://db",topic="img0"}': (1, 0)},
    "WebhookFailing": {'framepost_webhook_up{webhook="http://a"}': (1, 0)},
    "WebhookLosing": {'framepost_webhook_dropped_total{webhook="http://a",reason="x"}': Rate(0, 1)},
    "RecordingLosing": {'framepost_recording_lost_total{camera="door",reason="slow"}': Rate(0, 1)},
    "RecordingFailing": {"framepost_recording_failing": (0, 1)},
    "RecordingDiskFull": {"framepost_recording_free_bytes": (50e9, 9e8)},
}


def test_every_alert_is_tested_here() -> None:
    assert [alert["alert"] for alert in ALERTS] == [*BAD]


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_an_alert_fires_when_it_should_and_no_sooner(alert: dict[str, Any], tmp_path: Path) -> None:
    patience = seconds(alert.get("for", "0s"))
    end = ONSET + patience + WINDOW
    series = written(BAD[alert["alert"]], end, stays_well=False)
    silent = [ONSET, ONSET + patience - STEP] if patience else [ONSET - STEP]

    check(tmp_path, series, alert["alert"], silent=silent, firing=end)


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_an_alert_is_silent_while_all_is_well(alert: dict[str, Any], tmp_path: Path) -> None:
    end = ONSET + seconds(alert.get("for", "0s")) + WINDOW
    series = written(BAD[alert["alert"]], end, stays_well=True)

    check(tmp_path, series, alert["alert"], silent=[ONSET, end], firing=None)


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_an_alert_says_what_is_wrong_and_what_to_do(alert: dict[str, Any]) -> None:
    assert set(alert["annotations"]) == {"summary", "action"}
    assert alert["labels"]["severity"] in {"critical", "warning"}


def written(courses: dict[str, Course], end: int, *, stays_well: bool) -> list[dict[str, str]]:
    """Return the series in promtool's form."""
    steps, rest = ONSET // STEP, (end - ONSET) // STEP
    found = []
    for name, course in courses.items():
        if isinstance(course, Rate):
            then = course.before if stays_well else course.then
            values = [i * STEP * course.before for i in range(steps)]
            values += [values[-1] + (i + 1) * STEP * then for i in range(rest + 1)]
        else:
            values = [course[0]] * steps + [course[0] if stays_well else course[1]] * (rest + 1)
        series = name if "{" in name else f"{name}{{}}"
        series = series.replace("{", '{instance="x:1",', 1).replace(",}", "}")
        if "job=" not in series:
            series = series.replace("{", '{job="receiver",', 1)
        found.append({"series": series, "values": " ".join(f"{value:g}" for value in values)})
    return found


def check(
    folder: Path, series: list[dict[str, str]], name: str, *, silent: list[int], firing: int | None
) -> None:
    """Run promtool: the alert fires for nothing at the times `silent`, and for one at `firing`."""
    if shutil.which("promtool") is None:
        missing("promtool", "apt-get install prometheus")
    expr = f'count(ALERTS{{alertname="{name}",alertstate="firing"}})'
    tests: list[dict[str, object]] = [
        {"expr": expr, "eval_time": f"{at}s", "exp_samples": []} for at in silent
    ]
    if firing is not None:
        sample = {"labels": "{}", "value": 1}
        tests.append({"expr": expr, "eval_time": f"{firing}s", "exp_samples": [sample]})
    content = {
        "rule_files": [str(RULES)],
        "evaluation_interval": f"{STEP}s",
        "tests": [{"interval": f"{STEP}s", "input_series": series, "promql_expr_test": tests}],
    }
    path = folder / "rules_test.yml"
    path.write_text(json.dumps(content), encoding="utf-8")

    done = subprocess.run(
        ["promtool", "test", "rules", str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{series}"


def seconds(text: str) -> int:
    """Return the seconds of a duration such as 30s or 2m."""
    return int(text[:-1]) * {"s": 1, "m": 60}[text[-1]]
