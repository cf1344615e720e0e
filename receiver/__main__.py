"""`python -m receiver`: take frames, run hooks on them, show them live."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from receiver import ingest, status
from receiver.app import create_app
from receiver.config import ReceiverConfig
from receiver.display import DisplayProcess
from receiver.hooking.hooks import HookSpec
from receiver.hooking.runner import Runner, check
from receiver.hub import Hub
from receiver.metrics import HubCollector, Metrics
from receiver.server import PortError, Server
from receiver.view import dashboard, live
from receiver.view.renditions import Renditions
from shared import log
from shared.errors import ConfigError

logger = logging.getLogger(__name__)


class Receiver:
    """The receiver's parts, wired; lives in the process that serves HTTP."""

    def __init__(self, config: ReceiverConfig) -> None:
        self._closing = False
        metrics = Metrics()
        self._hub = Hub(max_cameras=config.max_cameras, observer=metrics)
        self._runner = Runner(
            self._hub,
            [HookSpec.parse(hook) for hook in config.hook],
            workers=config.hook_workers,
            isolation=config.isolation,
            timeout=config.hook_timeout,
            setup_timeout=config.hook_setup_timeout,
            hook_path=[str(path) for path in config.hook_path],
            quality=config.annotated_quality,
        )
        self._display = DisplayProcess(self._hub) if config.display else None
        renditions = Renditions()
        metrics.registry.register(HubCollector(self._hub, more=[renditions.collect]))
        self.app: Callable[..., Any] = create_app(
            [
                ingest.blueprint(
                    self._hub, max_bytes=config.max_bytes, max_pixels=config.max_pixels
                ),
                live.blueprint(self._hub, renditions, max_viewers=config.max_viewers),
                status.blueprint(
                    self._hub,
                    registry=metrics.registry,
                    hooks=self._runner.status,
                    alive=self._alive,
                    ready=self._ready,
                ),
                dashboard.blueprint(),
            ],
            max_bytes=config.max_bytes,
        )

    def start(self) -> None:
        self._runner.start()
        if self._display is not None:
            self._display.start()

    def drain(self) -> None:
        self._closing = True
        self._hub.close()

    def stop(self) -> None:
        if self._display is not None:
            self._display.ask_to_stop()
        self._runner.stop()
        if self._display is not None:
            self._display.stop()

    def bug(self) -> BaseException | None:
        return self._runner.error

    def _alive(self) -> list[str]:
        error = self._runner.error
        return [] if error is None else [f"a hook's worker died of a bug: {error!r}"]

    def _ready(self) -> list[str]:
        if self._closing:
            return ["the receiver is shutting down"]
        return [] if self._runner.ready else ["a hook is not ready; see /hooks"]


def main(argv: Sequence[str]) -> int:
    """Run until stopped; return 0 then, 1 when the receiver cannot go on, 2 on wrong settings."""
    try:
        config = ReceiverConfig.load(argv)
        check([HookSpec.parse(hook) for hook in config.hook], [*map(str, config.hook_path)])
        log.configure("receiver", level=config.log_level)
        server = Server(partial(Receiver, config), host=config.host, port=config.port)
    except ConfigError as exc:
        sys.stderr.writelines(f"receiver: {problem}\n" for problem in exc.problems)
        return 2
    except PortError as exc:
        sys.stderr.write(f"receiver: {exc}\n")
        return 1
    server.run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
