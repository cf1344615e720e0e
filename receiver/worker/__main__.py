"""`python -m receiver.worker`: run hooks on the frames of a bus, on any number of machines."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from functools import partial

from prometheus_client import CollectorRegistry

from receiver import health
from receiver.access.access import Access
from receiver.app import create_app
from receiver.bus.bus import Bus
from receiver.bus.collector import BusCollector
from receiver.components import Components
from receiver.config import WorkerConfig
from receiver.hooking import routes as hooking
from receiver.hooking.hooks import HookError, HookSpec
from receiver.hooking.runner import Runner, check
from receiver.metrics import Parts
from receiver.server import Server, serve
from receiver.tls import read_tls
from receiver.traffic import Traffic
from shared import log, process_stats
from shared.redact import redact

logger = logging.getLogger(__name__)

#: Nothing large is posted to a worker.
_MAX_BYTES = 1 << 16


class Worker:
    """The worker's parts, wired; lives in the process that serves its health."""

    def __init__(self, config: WorkerConfig) -> None:
        self._closing = False
        self._bus = Bus(config.bus)
        self._runner = Runner(
            self._bus.feeds,
            [HookSpec.parse(hook) for hook in config.hook],
            workers=config.hook_workers,
            isolation=config.isolation,
            timeout=config.hook_timeout,
            setup_timeout=config.hook_setup_timeout,
            hook_path=[str(path) for path in config.hook_path],
            quality=config.annotated_quality,
        )
        self._bus.tell_of(self._runner.status, timeout=config.hook_timeout)
        registry = CollectorRegistry()
        process_stats.register(registry, "worker")
        traffic = Traffic()
        access = Access(config.secret, config.tokens, allow_hosts=config.allow_host)
        self._components = Components(access, self._bus, self._runner)
        registry.register(Parts(BusCollector(self._bus), self._runner, access.refusals, traffic))
        self.app = create_app(
            [
                health.blueprint(
                    registry=registry,
                    hooks=self._bus.hooks,
                    alive=self._components.problems,
                    ready=self._ready,
                ),
                hooking.blueprint(self._runner),
            ],
            max_bytes=_MAX_BYTES,
            access=access,
            traffic=traffic,
        )

    def start(self) -> None:
        self._components.start()

    def drain(self) -> None:
        self._closing = True

    def stop(self) -> None:
        self._components.stop()

    def bug(self) -> BaseException | None:
        return self._components.error

    def _ready(self) -> list[str]:
        if self._closing:
            return ["the worker is shutting down"]
        wrong = [] if self._runner.ready else ["a hook is not ready; see /hooks"]
        return wrong + ([self._bus.problem] if self._bus.problem else [])


def main(argv: Sequence[str]) -> int:
    """Run until stopped; return the exit status, see `serve`."""
    return serve("worker", partial(_prepare, argv))


def _prepare(argv: Sequence[str]) -> Server:
    config = WorkerConfig.load(argv)
    if not config.hook:
        raise HookError("hook: expected one at least, as in --hook my_hook:process")
    check([HookSpec.parse(hook) for hook in config.hook], [*map(str, config.hook_path)])
    tls = read_tls(
        config.tls_cert, config.tls_key, client_ca=config.tls_client_ca, least=config.tls_min
    )
    log.configure("worker", clean=redact, level=config.log_level, form=config.log_format)
    return Server(partial(Worker, config), host=config.host, port=config.port, tls=tls)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
