"""Balancer: HAProxy with the configuration that is shipped, on free ports."""

from __future__ import annotations

import re
import shutil
import socket

import requests

from tests.conftest import missing
from tests.program import ROOT, Command
from tests.receiver.balancer.name_server import NameServer
from tests.receiver.bench import wait_until

CONFIG = ROOT / "receiver" / "balancer" / "haproxy.cfg"


def haproxy() -> str:
    """Return the program's path; skip the test where there is none."""
    # Debian keeps it where only root looks.
    path = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")
    if path is None:
        missing("HAProxy", "apt-get install haproxy")
    assert path is not None
    return path


class Balancer(Command):
    """Its receivers are at the addresses that `names` knows, all at `port`."""

    def __init__(self, names: NameServer, port: int, *, max_bytes: int) -> None:
        self.port, self._status_port = _free_ports(2)
        super().__init__(
            *(haproxy(), "-f", str(CONFIG)),
            env={
                "BALANCER_BIND": f"127.0.0.1:{self.port}",
                "BALANCER_STATUS_BIND": f"127.0.0.1:{self._status_port}",
                "BALANCER_RECEIVERS": f"receivers.test:{port}",
                "BALANCER_RESOLVER": f"127.0.0.1:{names.port}",
                "RECEIVER_MAX_BYTES": str(max_bytes),
            },
        )
        self.url = f"http://127.0.0.1:{self.port}"
        try:
            wait_until("HAProxy", lambda: self.ask("/metrics") == 200)
        except BaseException:
            self.__exit__(None, None, None)
            raise

    def ask(self, path: str) -> int:
        """Return the status of an answer of its own; 0 while it does not listen."""
        try:
            return requests.get(self._status + path, timeout=30).status_code
        except requests.ConnectionError:
            return 0

    def wait_for_receivers(self, count: int) -> None:
        """Wait until so many pass their checks."""
        wait_until(f"{count} receivers behind HAProxy", lambda: self._active() == count)

    @property
    def _status(self) -> str:
        return f"http://127.0.0.1:{self._status_port}"

    def _active(self) -> int:
        metrics = requests.get(f"{self._status}/metrics", timeout=30).text
        found = re.search(
            r'^haproxy_backend_active_servers{proxy="receivers"} (\d+)', metrics, re.M
        )
        assert found is not None, metrics
        return int(found[1])


def _free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports
