"""docker-compose for real: the images are built, frames reach the hook, and it stops cleanly."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator

import pytest
import yaml

from tests.compose_project import ComposeProject, state
from tests.program import ROOT

SERVICES = ("receiver", "sender", "camera", "camera-sender")


@pytest.fixture
def demo() -> Iterator[ComposeProject]:
    with ComposeProject("framepost-test", "demo") as demo:
        demo.need_engine()
        demo.run("build", "-q", *SERVICES)
        demo.run("up", "-d")
        yield demo


def test_the_demo_comes_up_healthy_and_stops_cleanly(demo: ComposeProject) -> None:
    url = demo.address("receiver", 8000)
    demo.wait_until("every service is healthy", lambda: demo.is_healthy(*SERVICES))
    demo.wait_until(
        "both cameras' frames reach the hook", lambda: processed(url) >= {"cam1", "demo"}
    )
    demo.run("stop")

    ended = {service: demo.containers(service) for service in SERVICES}
    assert {
        service: [state(container)["ExitCode"] for container in ids]
        for service, ids in ended.items()
    } == {service: [0] for service in SERVICES}


def test_plain_up_is_a_receiver_and_a_sender_and_profiles_add_to_them() -> None:
    content = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))

    services: dict[str, set[str]] = {}
    for name, service in content["services"].items():
        for profile in service.get("profiles", ["plain"]):
            services.setdefault(profile, set()).add(name)

    assert services == {
        "plain": {"receiver", "sender"},
        "demo": {"camera", "camera-sender"},
        "scale": {"redis", "scale-receiver", "worker", "balancer", "scale-sender"},
        "observe": {"prometheus", "grafana"},
    }


def processed(url: str) -> set[str]:
    """Return the names of the cameras of which the hook processed 20 frames and more."""
    with urllib.request.urlopen(f"{url}/cameras", timeout=30) as answer:
        cameras = json.load(answer)["cameras"]
    return {
        camera["camera"]
        for camera in cameras
        if camera["processed"] >= 20 and camera["result"] is not None
    }
