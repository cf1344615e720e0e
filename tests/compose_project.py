"""ComposeProject: containers of the project's docker-compose.yml, under a name of their own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

from tests.conftest import missing
from tests.program import ROOT

#: The ports are Docker's choice, so that a test disturbs nobody who has the demo open.
_ENVIRONMENT = {
    "DOCKER_BUILDKIT": "0",
    "COMPOSE_DOCKER_CLI_BUILD": "0",
    "RECEIVER_PUBLISH": "127.0.0.1:0",
    "BALANCER_PUBLISH": "127.0.0.1:0",
    "RECEIVER_HOOK": "hooks.motion:Motion",
}


class ComposeProject:
    """Brings nothing up by itself; takes everything down at the end."""

    def __init__(self, name: str, profile: str, env: Mapping[str, str] | None = None) -> None:
        if shutil.which("docker-compose") is None:
            missing("docker-compose", "apt-get install docker.io docker-compose")
        self._command = ["docker-compose", "-p", name, "--profile", profile]
        self._env = {**os.environ, **_ENVIRONMENT, **(env or {})}

    def need_engine(self) -> None:
        """Skip the test where no Docker engine runs."""
        engine = subprocess.run(["docker", "info"], capture_output=True, check=False)
        if engine.returncode != 0:
            missing("a running Docker engine", "start the Docker daemon")

    def run(self, *arguments: str, seconds: float = 600) -> str:
        """Run docker-compose with the arguments; return what it wrote."""
        done = self._run(*arguments, seconds=seconds)
        assert done.returncode == 0, f"{' '.join(done.args)}:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def containers(self, service: str) -> list[str]:
        """Return the ids of the service's containers, of the ended ones too."""
        return self.run("ps", "-a", "-q", service).split()

    def address(self, service: str, port: int) -> str:
        """Return http://host:port under which the port of the service is published."""
        return f"http://{self.run('port', service, str(port)).strip()}"

    def wait_until(
        self, what: str, condition: Callable[[], object], *, seconds: float = 240
    ) -> None:
        """Look at `condition` until it holds."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, (
                f"not so after {seconds} s: {what}\n{self.run('ps')}\n{self.run('logs')}"
            )
            time.sleep(0.5)

    def is_healthy(self, *services: str) -> bool:
        """Tell whether all containers are; an ended one is an error."""
        return all(
            health(container) == "healthy"
            for service in services
            for container in self.containers(service)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._run("down", "-v", "-t", "10", seconds=120)

    def _run(self, *arguments: str, seconds: float) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self._command, *arguments],
            cwd=ROOT,
            env=self._env,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )


def docker(*arguments: str) -> str:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"docker {' '.join(arguments)}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def state(container: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(docker("inspect", container))[0]["State"]
    return found


def health(container: str) -> str:
    found = state(container)
    assert found["Running"], f"{container} ended: {found}"
    return str(found.get("Health", {}).get("Status", "none"))
