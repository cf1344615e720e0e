"""`python -m receiver`: take frames, run hooks on them, show them live."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from receiver import contract, control, deepstack, health, ingest, status, stream
from receiver.access.access import Access
from receiver.app import create_app
from receiver.bus.collector import BusCollector
from receiver.bus.join import join
from receiver.camera import Observer
from receiver.components import Components
from receiver.config import ReceiverConfig
from receiver.control import Controls
from receiver.desk import Desk
from receiver.display import DisplayProcess
from receiver.feeds import events
from receiver.feeds.allow_list import AllowList
from receiver.feeds.journal import Journal
from receiver.feeds.webhooks import Webhooks
from receiver.history import History
from receiver.hooking import routes as hooking
from receiver.hooking.hooks import HookSpec
from receiver.hooking.runner import Runner, check
from receiver.hooking.schedule import HubFeeds
from receiver.hub import Hub
from receiver.kserve import routes as kserve
from receiver.listeners.listeners import Listeners
from receiver.listeners.ways import make_ways
from receiver.metrics import HubCollector, Metrics, Parts
from receiver.models import Models
from receiver.recording.recording import Recording
from receiver.rehearsal.check_hook import check_hook
from receiver.server import THREADS, Server, serve
from receiver.tls import read_tls
from receiver.traces import Traces
from receiver.view import dashboard, drawing, wall
from receiver.view.pulse import Pulse
from shared import log
from shared.redact import redact
from shared.seats import AllSeats, Seats
from shared.spans import Spans, check_installed
from shared.view import live
from shared.view.renditions import Renditions

#: Threads of the server that nobody may hold for long.
_SHORT = 64


class Receiver:
    """The receiver's parts, wired; lives in the process that serves HTTP."""

    def __init__(self, config: ReceiverConfig) -> None:
        self._closing = False
        specs = [HookSpec.parse(hook) for hook in config.hook]
        metrics = Metrics()
        history = History()
        journal = Journal()
        # On a bus every receiver hears of every result; the one that took the frame posts it.
        posted = Journal(only_ours=True) if config.bus != "local" else journal
        access = Access(
            *(config.secret, config.tokens),
            allow_hosts=config.allow_host,
            requests=config.rate_limit,
            frames=config.rate_limit_frames,
            proxies=config.trusted_proxy,
        )
        ways = make_ways(config.listen, max_bytes=config.max_bytes, tokens=access.tokens)
        recording = self._recording = Recording(config.recording())
        observers: list[Observer] = [metrics, history, journal, posted]
        observers += [way.answers for way in ways if way.answers is not None]
        self._hub = Hub(
            max_cameras=config.max_cameras,
            max_queue=config.max_queue,
            observers=list(dict.fromkeys([*observers, *recording.observers])),
        )
        bus = self._bus = join(config.bus, self._hub)
        self._runner = Runner(
            HubFeeds(self._hub) if bus is None else bus.feeds,
            specs,
            workers=config.hook_workers,
            isolation=config.isolation,
            timeout=config.hook_timeout,
            setup_timeout=config.hook_setup_timeout,
            hook_path=[str(path) for path in config.hook_path],
            quality=config.annotated_quality,
        )
        self._display = DisplayProcess(self._hub) if config.display else None
        renditions = Renditions(drawing.draw)
        self._hub.listen(lambda _: renditions.expire())
        viewers = Seats(config.max_viewers)
        self._pulse = Pulse(
            partial(status.overview, self._hub, self._hooks, history),
            tick=partial(self._tick, history),
        )
        seats = Seats(THREADS - config.max_viewers - _SHORT)
        models = Models(specs, status=self._runner.status)

        def trouble(camera: str) -> str | None:
            return models.trouble(models.of_camera(camera)) if bus is None else bus.trouble(camera)

        if bus is not None:
            bus.tell_of(self._runner.status, timeout=config.hook_timeout)
            metrics.registry.register(BusCollector(bus))
        spans = None
        if config.trace_to is not None:
            spans = Spans("framepost-receiver", to=config.trace_to, ratio=config.trace_ratio)
        desk = Desk(
            self._hub,
            max_pixels=config.max_pixels,
            seats=seats,
            has_hook=self._runner.handles if bus is None else bus.handles,
            trouble=trouble,
            traces=Traces(spans) if spans else None,
        )
        self._listeners = Listeners(ways, desk)
        controls = Controls(
            self._hub,
            # A window shows every frame, as a viewer does.
            automatic=config.auto_control and not config.display,
            max_cameras=config.max_cameras,
        )
        feed = events.Events(journal, seats=seats)
        webhooks = Webhooks(
            posted,
            config.result_webhook,
            token=config.webhook_token.get_secret_value() if config.webhook_token else None,
            allow=AllowList(config.webhook_allow),
        )
        self._components = Components(
            # Results go to those before the hooks, up to the last one.
            *(access, spans, recording, webhooks, self._listeners, bus, self._runner),
            *(self._pulse, self._display),
        )
        all_seats = AllSeats(clients=seats, viewers=viewers)
        more = (self._runner, renditions, feed, webhooks, self._listeners, all_seats, recording)
        metrics.registry.register(Parts(HubCollector(self._hub), access.refusals, *more))
        self.app = create_app(
            [
                ingest.blueprint(desk, max_bytes=config.max_bytes, wish=controls.header),
                stream.blueprint(
                    desk, seats=seats, max_bytes=config.max_bytes, wish=controls.header
                ),
                control.blueprint(controls),
                live.blueprint(self._hub, renditions, seats=viewers),
                wall.blueprint(
                    self._hub, renditions, journal=journal, pulse=self._pulse, seats=viewers
                ),
                recording.blueprint(self._hub, seats=viewers),
                status.blueprint(self._hub, webhooks=webhooks.status, history=history),
                health.blueprint(
                    registry=metrics.registry,
                    hooks=self._hooks,
                    alive=self._components.problems,
                    ready=self._ready,
                    degraded=self._degraded,
                ),
                hooking.blueprint(self._runner),
                events.blueprint(feed),
                dashboard.blueprint(),
                contract.blueprint(),
                kserve.blueprint(
                    desk,
                    models,
                    seats=seats,
                    max_bytes=config.max_bytes,
                    max_pixels=config.max_pixels,
                    alive=self._components.problems,
                    ready=self._ready,
                ),
                deepstack.blueprint(desk, models, seats=seats, max_bytes=config.max_bytes),
            ],
            max_bytes=config.max_bytes,
            access=access,
            traffic=metrics.traffic,
        )

    def start(self) -> None:
        self._components.start()

    def drain(self) -> None:
        self._closing = True
        self._listeners.drain()
        self._hub.close()
        self._pulse.ask_to_stop()
        if self._display is not None:
            self._display.ask_to_stop()

    def stop(self) -> None:
        self._components.stop()

    def bug(self) -> BaseException | None:
        return self._components.error

    def _tick(self, history: History) -> None:
        self._hub.standstill.beat()
        history.sample(self._hub)

    def _hooks(self) -> Sequence[Mapping[str, Any]]:
        return self._runner.facts() if self._bus is None else self._bus.hooks()

    def _degraded(self) -> list[str]:
        parts = (self._bus, self._recording)
        return [part.problem for part in parts if part is not None and part.problem is not None]

    def _ready(self) -> list[str]:
        if self._closing:
            return ["the receiver is shutting down"]
        return [] if self._runner.ready else ["a hook is not ready; see /hooks"]


def main(argv: Sequence[str]) -> int:
    """Run until stopped; return the exit status, see `serve`."""
    return serve("receiver", partial(_prepare, argv))


def _prepare(argv: Sequence[str]) -> Server | int:
    config = ReceiverConfig.load(argv)
    log.configure("receiver", clean=redact, level=config.log_level, form=config.log_format)
    if config.check_hook is not None:
        return _check_hook(config.check_hook, config)
    check([HookSpec.parse(hook) for hook in config.hook], [*map(str, config.hook_path)])
    if config.trace_to is not None:
        check_installed()
    tls = read_tls(
        config.tls_cert, config.tls_key, client_ca=config.tls_client_ca, least=config.tls_min
    )
    return Server(partial(Receiver, config), host=config.host, port=config.port, tls=tls)


def _check_hook(hook: str, config: ReceiverConfig) -> int:
    return check_hook(
        hook,
        config.check_picture,
        sys.stdout,
        hook_path=[*map(str, config.hook_path)],
        timeout=config.hook_timeout,
        setup_timeout=config.hook_setup_timeout,
        quality=config.annotated_quality,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
