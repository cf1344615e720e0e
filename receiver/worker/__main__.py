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
from receiver.config import WorkerConfig
from receiver.hooking import routes as hooking
from receiver.hooking.hooks import HookError, HookSpec
from receiver.hooking.runner import Runner, check
from receiver.server import Server, serve
from shared import log

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
        registry.register(BusCollector(self._bus, hooks=self._runner.status))
        self._access = Access(config.secret, config.tokens)
        registry.register(self._access.refusals)
        self.app = create_app(
            [
                health.blueprint(
                    registry=registry,
                    hooks=self._bus.hooks,
                    alive=self._alive,
                    ready=self._ready,
                ),
                hooking.blueprint(self._runner),
            ],
            max_bytes=_MAX_BYTES,
            access=self._access,
        )

    def start(self) -> None:
        self._access.start()
        self._bus.start()
        self._runner.start()

    def drain(self) -> None:
        self._closing = True

    def stop(self) -> None:
        self._runner.stop()
        self._bus.stop()
        self._access.stop()

    def bug(self) -> BaseException | None:
        return self._runner.error or self._bus.error or self._access.error

    def _alive(self) -> list[str]:
        error = self.bug()
        return [] if error is None else [f"a worker died of a bug: {error!r}"]

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
    log.configure("worker", level=config.log_level, form=config.log_format)
    return Server(partial(Worker, config), host=config.host, port=config.port)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
