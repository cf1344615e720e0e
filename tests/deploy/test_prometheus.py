"""A real Prometheus with our configuration: it reads our programs, and its alerts fire."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests import metrics_table
from tests.conftest import missing
from tests.deploy import queries
from tests.deploy.prometheus import DEPLOY, Prometheus
from tests.program import Program, Receiver
from tests.receiver.bench import wait_until

#: Fails from a certain time on.
_HOOK = """
import pathlib

def process(frame):
    if pathlib.Path(__file__).with_name("fail").exists():
        raise ValueError("no face")
    return {"seq": frame.seq}
"""
#: Metrics that stand still, and without a series, in a receiver and a sender that are well.
_EMPTY = {
    "framepost_frames_refused_total",
    "framepost_sender_frames_refused_total",
    "framepost_sender_frames_failed_total",
    "framepost_webhook_dropped_total",
    "framepost_refused_access_total",
    "framepost_recording_lost_total",
}


@pytest.mark.parametrize("what", ["config prometheus.yml", "rules alerts.yml"])
def test_promtool_finds_nothing_wrong(what: str) -> None:
    if shutil.which("promtool") is None:
        missing("promtool", "apt-get install prometheus")
    command, name = what.split()

    done = subprocess.run(
        ["promtool", "check", command, str(DEPLOY / name)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("place", queries.every())
def test_a_query_names_only_metrics_of_the_table(place: str) -> None:
    named = metrics_table.named(queries.every()[place])

    assert named or "ALERTS" in queries.every()[place] or "up{" in queries.every()[place]
    assert named <= metrics_table.series()


def test_alerts_fire_for_a_hook_that_fails_and_a_camera_that_ends(tmp_path: Path) -> None:
    (tmp_path / "watched_hook.py").write_text(_HOOK, encoding="utf-8")
    hook = ("--hook", "watched_hook", "--hook-path", str(tmp_path))
    (tmp_path / "recordings").mkdir()
    record = ("--record", str(tmp_path / "recordings"))
    with Receiver(*hook, *record, "--result-webhook", "http://127.0.0.1:9/") as receiver:
        receiver.wait_for("is ready")
        source = ("--source", "testsrc", "--size", "320x240", "--fps", "20", "--camera", "door")
        with Program("sender", *source, "--to", receiver.url, "--status-port", "0") as sender:
            place = sender.wait_for(r"http://(127\.0\.0\.1:\d+)/status")[1]
            targets = {"receiver": f"127.0.0.1:{receiver.port}", "sender": place}
            with Prometheus(tmp_path, **targets) as prometheus:
                look(prometheus, tmp_path, sender)


def look(prometheus: Prometheus, folder: Path, sender: Program) -> None:
    """See what Prometheus sees while things go wrong one after the other."""
    wait_until("both to be read", lambda: prometheus.up() == {"receiver", "sender"}, 30)
    wait_until(
        "a rate of results",
        lambda: prometheus.query("rate(framepost_frames_processed_total[1m]) > 0"),
        30,
    )
    assert not {"HookFailing", "CameraStale", "SenderDown"} & set(prometheus.alerts())
    check_queries(prometheus)

    (folder / "fail").touch()
    wait_until("HookFailing", lambda: "HookFailing" in prometheus.alerts(), 60)
    told = prometheus.alerts()["HookFailing"][0]
    assert told["labels"]["camera"] == "door"
    assert "of camera door's frames" in told["annotations"]["summary"]
    assert "CameraStale" not in prometheus.alerts()

    sender.stop()
    wait_until(
        "camera and sender to be missed",
        lambda: {"CameraStale", "SenderDown"} <= set(prometheus.alerts()),
        60,
    )
    (stale,) = prometheus.alerts()["CameraStale"]
    assert stale["annotations"]["summary"] == "no frames come from camera door"
    assert "ReceiverDown" not in prometheus.alerts()
    assert "WebhookFailing" in prometheus.alerts()


def check_queries(prometheus: Prometheus) -> None:
    """Have every query answered, and with data where its metrics have some."""
    for expression in queries.every().values():
        prometheus.query(expression)
    # Of what is read for the first time there is no rate yet.
    wait_until("every panel to show what there is", lambda: not silent(prometheus), 30)
    shown = {name for query in queries.of_dashboard().values() for name in names_of(query)}
    rows = metrics_table.rows()
    elsewhere = {name for name in rows if name.startswith(("framepost_bus", "framepost_listener"))}
    for name in shown - _EMPTY - elsewhere:
        assert prometheus.query(f"present_over_time({name}[1m])"), f"{name}: nothing was read"


def silent(prometheus: Prometheus) -> list[str]:
    """Return the panels that show nothing though all their metrics have been read."""
    return [
        place
        for place, expression in queries.of_dashboard().items()
        if (names := metrics_table.named(expression))
        and all(prometheus.query(f"present_over_time({name}[1m])") for name in names)
        and not prometheus.query(expression)
    ]


def names_of(query: str) -> set[str]:
    return metrics_table.named(query)


def test_the_dashboard_fits_together() -> None:
    panels = queries.DASHBOARD["panels"]
    uid = (DEPLOY / "grafana/provisioning/datasources/prometheus.yml").read_text("utf-8")
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        grid = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(grid["x"], grid["x"] + grid["w"])
            for y in range(grid["y"], grid["y"] + grid["h"])
        }
        assert not cells & taken, f"{panel['title']} covers another panel"
        assert grid["x"] + grid["w"] <= 24
        taken |= cells
        assert panel["type"] == "row" or f"uid: {panel['datasource']['uid']}" in uid

    assert len({panel["id"] for panel in panels}) == len(panels)
    rows = [panel["title"] for panel in panels if panel["type"] == "row"]
    assert rows == [
        *("Overview", "Per camera", "Latency by stage", "Losses by reason"),
        *("Hooks", "Sender", "Recording", "Processes and the bus"),
    ]
