"""`python -m sender`: read cameras, post their frames to a receiver."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from types import FrameType

from tqdm.contrib.logging import logging_redirect_tqdm

from sender.carriers.carriers import lanes, make_client, read_endpoint
from sender.carriers.contract import Connection
from sender.check.check import Check
from sender.config import CameraConfig, SenderConfig
from sender.metrics import Metrics, PipelineCollector
from sender.pipeline import Pipeline
from sender.progress import Progress
from sender.source import open_source
from sender.sources.demuxer import KEY_FRAME_WAIT
from sender.spool.opening import open_spool
from sender.supervisor import Supervisor
from sender.tls import make_context
from sender.traces import Traces
from sender.view.window import Window, Windows
from shared import log, process_stats
from shared.errors import ConfigError
from shared.redact import redact
from shared.spans import Spans

logger = logging.getLogger(__name__)

#: Seconds between two looks at the pipelines.
_LOOK = 0.25


def main(argv: Sequence[str]) -> int:
    """Run until stopped or until all sources ended.

    Return 0 after a stop, or when the frames of all that ended were delivered; 1 when they were
    not, a camera failed for good, or a thread died; 2 on wrong settings. With `--check`: 0 when the
    source can be read, 1 when not.
    """
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    metrics = Metrics()
    try:
        config = SenderConfig.load(argv)
        if config.check is not None:
            return _check(config.check, config)
        log.configure("sender", clean=redact, level=config.log_level, form=config.log_format)
        spans = _make_spans(config)
        pipelines = _build(config, metrics, Traces(spans) if spans else None)
    except ConfigError as exc:
        sys.stderr.writelines(f"sender: {problem}\n" for problem in exc.problems)
        return 2
    process_stats.register(metrics.registry, "sender")
    metrics.registry.register(PipelineCollector(pipelines))
    supervisor = Supervisor(pipelines)
    with ExitStack() as stack:
        if config.status_port is not None:
            from sender.view.serving import PortError, make_server  # with Flask, slow to load

            windows = Windows(each.window for each in pipelines if each.window is not None)
            try:
                server = make_server(
                    (config.status_host, config.status_port),
                    windows,
                    viewers=config.status_viewers,
                    token=config.view_secret,
                    is_exposed=config.is_exposed,
                    registry=metrics.registry,
                    cameras=lambda: [pipeline.status() for pipeline in pipelines],
                    alive=supervisor.problems,
                )
            except PortError as exc:
                sys.stderr.write(f"sender: {exc}\n")
                return 1
            stack.enter_context(server)
        progress = None
        if config.progress or (sys.stderr.isatty() and config.log_format == "text"):
            stack.enter_context(logging_redirect_tqdm())
            progress = Progress(pipelines, stream=sys.stderr)
            stack.callback(progress.close)
        if spans is not None:
            # Stopped after the posters, whose last frames it tells of.
            spans.start()
            stack.callback(spans.stop)
        stack.callback(_end, supervisor)
        supervisor.start()
        status = None
        while status is None:
            if stop.wait(_LOOK):
                return 0
            if progress is not None:
                progress.update()
            status = supervisor.step()
        return status


def _make_spans(config: SenderConfig) -> Spans | None:
    if config.trace_to is None:
        return None
    return Spans("framepost-sender", to=config.trace_to, ratio=config.trace_ratio)


def _build(config: SenderConfig, metrics: Metrics, traces: Traces | None) -> list[Pipeline]:
    """Return a pipeline for each camera; raise one ConfigError for all wrong sources."""
    pipelines = []
    problems = []
    for number, camera in enumerate(config.each_camera()):
        try:
            window = None if config.status_port is None else _make_window(camera)
            pipelines.append(_build_one(camera, metrics, traces, window))
        except ConfigError as exc:
            for name, colon, rest in (problem.partition(":") for problem in exc.problems):
                option = f"--{name.replace('_', '-')}"
                place = f"cameras.{number}.{name}" if config.cameras else option
                problems.append(place + colon + rest)
    if problems:
        raise ConfigError(*problems)
    return pipelines


def _make_window(camera: CameraConfig) -> Window:
    interval = 1 / camera.fps if camera.fps else 0.0
    return Window(camera.camera, quality=camera.quality, interval=interval)


def _build_one(
    camera: CameraConfig, metrics: Metrics, traces: Traces | None, window: Window | None
) -> Pipeline:
    assert camera.source is not None
    endpoint = read_endpoint(camera.carrier)
    context = make_context(camera.tls_ca, camera.tls_cert, camera.tls_key)
    if context is not None and not endpoint.tls:
        raise ConfigError(f"tls_ca, tls_cert: expected an https receiver, got {endpoint.shown}")
    spool, timeouts = None, (camera.open_timeout, camera.read_timeout)
    if camera.delivery == "every":
        limits, sync = camera.spool_limits, camera.spool_sync
        spool = open_spool(camera.spool, camera.camera, limits=limits, sync=sync)
    return Pipeline(
        camera.camera,
        partial(open_source, camera.source, camera.options),
        source_name=redact(camera.source),
        make_client=partial(make_client, camera.carrier, endpoint, Connection(context=context)),
        in_flight=lanes(camera.carrier, camera.in_flight),
        endpoint=endpoint,
        fps=camera.fps,
        size=camera.pixels,
        quality=camera.quality,
        depth=camera.depth,
        keep_corrupt=camera.keep_corrupt,
        obey=camera.obey,
        whole=camera.pace == "fast",
        spool=spool,
        deadline=camera.deadline,
        # A source may take so long before it must have given up by itself.
        patience=2 + max(2 * max(timeouts), KEY_FRAME_WAIT + camera.read_timeout),
        stopwatch=metrics,
        traces=traces,
        window=window,
    )


def _check(source: str, config: SenderConfig) -> int:
    check = Check(source, config.options, seconds=config.check_seconds)

    def end(number: int, frame: FrameType | None) -> None:
        # On a thread of its own: this one may just hold the lock that a stop takes.
        threading.Thread(target=check.stop, daemon=True).start()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    return check.run(sys.stdout, sys.stderr, as_json=config.check_json)


def _end(supervisor: Supervisor) -> None:
    if not supervisor.stop():
        logger.warning("a camera's thread hangs and is left to end with the process")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
