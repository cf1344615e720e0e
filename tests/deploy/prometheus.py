"""Prometheus: the real one, with the configuration of deploy/, hurried."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests
import yaml

from tests.conftest import missing
from tests.program import ROOT, Command
from tests.sender.doubles import free_port

DEPLOY = ROOT / "deploy"
#: Instead of the seconds that a person would wait.
_OFTEN = "500ms"


class Prometheus:
    """Scrapes the places given for the jobs; rules are looked at twice a second, and fire soon."""

    def __init__(self, folder: Path, **places: str) -> None:
        """`places`: host:port by the job's name."""
        if shutil.which("prometheus") is None:
            missing("prometheus", "apt-get install prometheus")
        config = yaml.safe_load((DEPLOY / "prometheus.yml").read_text("utf-8"))
        times = {"scrape_interval", "scrape_timeout", "evaluation_interval"}
        config["global"] = dict.fromkeys(times, _OFTEN)
        jobs = {job["job_name"]: job for job in config["scrape_configs"]}
        for name, place in places.items():
            assert jobs[name]["static_configs"], name
            jobs[name]["static_configs"] = [{"targets": [place]}]
        for job in jobs.values():
            job.pop("dns_sd_configs", None)  # there is no name server that knows them
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
        rules = (DEPLOY / "alerts.yml").read_text("utf-8")
        (folder / "alerts.yml").write_text(
            re.sub(r"for: \w+", "for: 1s", rules).replace("[1m]", "[10s]"), encoding="utf-8"
        )
        self._folder = folder
        self._port = free_port()
        self._command: Command | None = None

    def alerts(self, state: str = "firing") -> dict[str, list[dict[str, Any]]]:
        """Return the alerts of that state by name."""
        found: dict[str, list[dict[str, Any]]] = {}
        for alert in self._ask("alerts")["alerts"]:
            if alert["state"] == state:
                found.setdefault(alert["labels"]["alertname"], []).append(alert)
        return found

    def query(self, expression: str) -> list[Any]:
        """Return the vector that the expression is now; fail where Prometheus does not take it."""
        found: list[Any] = self._ask("query", query=expression)["result"]
        return found

    def up(self) -> set[str]:
        """Return the jobs all of whose targets answer."""
        return {each["metric"]["job"] for each in self.query("min by (job) (up) == 1")}

    def _ask(self, route: str, **params: str) -> Any:
        url = f"http://127.0.0.1:{self._port}/api/v1/{route}"
        answer = requests.get(url, params=params, timeout=30).json()
        assert answer["status"] == "success", f"{params}: {answer}"
        return answer["data"]

    def __enter__(self) -> Self:
        self._command = Command(
            "prometheus",
            f"--config.file={self._folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={self._folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self._port}",
        )
        try:
            self._command.wait_for("Server is ready to receive web requests")
        except BaseException:
            self._command.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._command is not None:
            self._command.__exit__(None, None, None)
