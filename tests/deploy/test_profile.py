"""The compose profile `observe`: what it mounts is there, where the configurations look for it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import missing
from tests.deploy.prometheus import DEPLOY
from tests.program import ROOT


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """What docker-compose makes of the file; it needs no engine for that, and pulls nothing."""
    if shutil.which("docker-compose") is None:
        missing("docker-compose", "apt-get install docker-compose")
    done = subprocess.run(
        ["docker-compose", "--profile", "observe", "config"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = yaml.safe_load(done.stdout)["services"]
    return found


def mounts(service: dict[str, Any]) -> dict[str, Path]:
    """Return the folders of ours that a service sees, by where it sees them."""
    found = {}
    for volume in service["volumes"]:
        if isinstance(volume, str):
            source, target = volume.split(":")[:2]
        else:
            source, target = volume["source"], volume["target"]
        if source.startswith(("/", ".")):
            found[target] = Path(ROOT, source)
    return found


def test_prometheus_finds_its_configuration(services: dict[str, Any]) -> None:
    folder = mounts(services["prometheus"])["/etc/prometheus"]

    assert folder.samefile(DEPLOY)
    assert "--config.file=/etc/prometheus/prometheus.yml" in services["prometheus"]["command"]


def test_grafana_finds_its_datasource_and_the_dashboard(services: dict[str, Any]) -> None:
    grafana = mounts(services["grafana"])
    provisioning = grafana["/etc/grafana/provisioning"]
    sources = yaml.safe_load((provisioning / "datasources/prometheus.yml").read_text("utf-8"))
    boards = yaml.safe_load((provisioning / "dashboards/framepost.yml").read_text("utf-8"))
    folder = boards["providers"][0]["options"]["path"]
    home = services["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]

    assert sources["datasources"][0]["url"] == "http://prometheus:9090"
    assert (grafana[folder] / Path(home).name).exists()
    assert Path(home).parent == Path(folder)


def test_images_are_pinned_and_ports_are_for_this_machine(services: dict[str, Any]) -> None:
    for name in ("prometheus", "grafana"):
        assert re.fullmatch(r"v?\d+\.\d+\.\d+", services[name]["image"].rpartition(":")[2])
        assert all("127.0.0.1" in str(port) for port in services[name]["ports"])


def test_every_target_is_a_service_of_the_file(services: dict[str, Any]) -> None:
    config = yaml.safe_load((DEPLOY / "prometheus.yml").read_text("utf-8"))
    known = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"]
    named = {
        target.partition(":")[0]
        for job in config["scrape_configs"]
        for part in job.get("static_configs", ())
        for target in part["targets"]
    } | {
        name
        for job in config["scrape_configs"]
        for part in job.get("dns_sd_configs", ())
        for name in part["names"]
    }

    assert named == {
        *("receiver", "scale-receiver", "sender", "camera-sender", "scale-sender", "worker")
    }
    assert named <= set(known)
    # What is always missed when it is away must be what always runs.
    always = {name for name, service in known.items() if "profiles" not in service}
    assert always == {"receiver", "sender"}
