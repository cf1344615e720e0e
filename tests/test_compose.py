"""docker-compose for real: the images are built, frames reach the hook, and it stops cleanly."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator

import pytest

from tests.conftest import missing
from tests.program import ROOT

_PROJECT = "framepost-test"


def compose(*arguments: str, seconds: float = 600) -> str:
    command = ["docker-compose", "-p", _PROJECT, "--profile", "demo", *arguments]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=_environment(),
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def _environment() -> dict[str, str]:
    import os

    # The port is Docker's choice, so that the test disturbs nobody who has the demo open.
    return {**os.environ, "DOCKER_BUILDKIT": "0", "RECEIVER_PUBLISH": "127.0.0.1:0"} | {
        "COMPOSE_DOCKER_CLI_BUILD": "0",
        "RECEIVER_HOOK": "hooks.motion:Motion",
    }


def containers() -> dict[str, str]:
    """Return {service: container id}, the ended ones too."""
    return {
        service: compose("ps", "-a", "-q", service).strip()
        for service in ("receiver", "sender", "camera", "camera-sender")
    }


def inspect(container: str) -> dict[str, object]:
    done = subprocess.run(
        ["docker", "inspect", container], capture_output=True, text=True, check=True
    )
    state: dict[str, object] = json.loads(done.stdout)[0]["State"]
    return state


@pytest.fixture
def up() -> Iterator[str]:
    if shutil.which("docker-compose") is None:
        missing("docker-compose", "apt-get install docker.io docker-compose")
    engine = subprocess.run(["docker", "info"], capture_output=True, check=False)
    if engine.returncode != 0:
        missing("a running Docker engine", "start the Docker daemon")
    try:
        compose("build", "-q")
        compose("up", "-d")
        yield compose("port", "receiver", "8000").strip()
    finally:
        subprocess.run(
            ["docker-compose", "-p", _PROJECT, "--profile", "demo", "down", "-v", "-t", "10"],
            cwd=ROOT,
            env=_environment(),
            capture_output=True,
            check=False,
        )


def test_the_demo_comes_up_healthy_and_stops_cleanly(up: str) -> None:
    ids = containers()

    wait_until(
        "every service is healthy",
        lambda: all(health(container) == "healthy" for container in ids.values()),
    )
    wait_until("both cameras' frames reach the hook", lambda: processed(up) >= {"cam1", "demo"})
    compose("stop")

    states = {service: inspect(container) for service, container in ids.items()}
    assert {service: state["ExitCode"] for service, state in states.items()} == dict.fromkeys(
        ids, 0
    )


def health(container: str) -> object:
    state = inspect(container)
    assert state["Running"], f"{container} ended: {state}"
    found = state.get("Health")
    return found["Status"] if isinstance(found, dict) else "none"


def processed(address: str) -> set[str]:
    """Return the names of the cameras of which the hook processed 20 frames and more."""
    with urllib.request.urlopen(f"http://{address}/cameras", timeout=5) as answer:
        cameras = json.load(answer)["cameras"]
    return {
        camera["camera"]
        for camera in cameras
        if camera["processed"] >= 20 and camera["result"] is not None
    }


def wait_until(what: str, condition: object, *, seconds: float = 90) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not so after {seconds} s: {what}\n{compose('logs')}"
        time.sleep(0.5)
