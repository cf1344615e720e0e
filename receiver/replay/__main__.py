"""`python -m receiver.replay`: run a hook on every frame of recordings, and compare."""

from __future__ import annotations

import logging
import math
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tqdm.contrib.logging import logging_redirect_tqdm

from receiver.hooking import hooks
from receiver.hooking.hook_worker import HookSettings
from receiver.hooking.hooks import HookSpec
from receiver.replay.comparison import Comparison
from receiver.replay.config import ReplayConfig
from receiver.replay.crew import Crew, cores
from receiver.replay.drawing import Drawing
from receiver.replay.footage import Footage
from receiver.replay.ledger import STDOUT, Ledger, facts_of
from receiver.replay.progress import Progress
from receiver.replay.replay import Replay, Taker
from receiver.replay.stop import Stop
from receiver.replay.video import Video
from receiver.replay.window import Window
from shared import log
from shared.errors import ConfigError, FramepostError
from shared.recording import Recording, find
from shared.result_index import ResultIndex

logger = logging.getLogger(__name__)

#: Frames in memory for each worker.
_ROOM = 4


def main(argv: Sequence[str]) -> int:
    """Replay; return the exit status, see ReplayConfig."""
    # A hook's text may hold what no terminal shows.
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        config = ReplayConfig.load(argv)
        log.configure("replay", level=config.log_level)
        # In the hook's processes sets of strings would else have another order in each run.
        os.environ.setdefault("PYTHONHASHSEED", "0")
        return _run(config)
    except ConfigError as exc:
        sys.stderr.writelines(f"replay: {problem}\n" for problem in exc.problems)
        return 2
    except FramepostError as exc:
        sys.stderr.write(f"replay: {exc}\n")
        return 1
    except KeyboardInterrupt:  # before the replay or after it
        return 128 + signal.SIGINT


def _run(config: ReplayConfig) -> int:
    spec = HookSpec.parse(config.hook)
    if spec.camera is not None:
        raise ConfigError(f"RECEIVER_HOOK: expected module:name, got {config.hook!r}")
    hooks.locate(spec.target, [*map(str, config.hook_path)])
    found = [recording for path in config.recording for recording in find(path)]
    # A shell's * names each film and its lines.
    recordings = list({each.path.resolve(): each for each in found}.values())
    _check_outputs(config, recordings)
    footage = Footage(
        recordings, begin=config.begin, end=math.inf if config.end is None else config.end
    )
    workers = config.workers or cores()
    posts = max(1, min(workers, len(footage.cameras)))
    window = Window(
        footage.cameras,
        room=_ROOM * workers + _ROOM,
        posts=posts,
        develop=Drawing(config.annotated_quality).develop if config.video else None,
    )
    settings = HookSettings(
        spec=spec,
        hook_path=tuple(map(str, config.hook_path)),
        timeout=config.hook_timeout,
        setup_timeout=config.hook_setup_timeout,
        quality=config.annotated_quality,
        threads=max(1, cores() // workers),
        reload=False,
    )
    crew = Crew(settings, window, workers=workers, posts=posts, isolation=config.isolation)
    with ExitStack() as stack:
        comparison = _open_comparison(config, recordings)
        takers = _open_outputs(config, footage, stack)
        if comparison is not None:
            takers.append(lambda result, _: comparison.add(facts_of(result, timings=False)))
        if sys.stderr.isatty():
            stack.enter_context(logging_redirect_tqdm())
        progress = Progress(footage.count(), stream=sys.stderr)
        stack.callback(progress.close)
        stop = stack.enter_context(Stop())
        replay = Replay(footage, window, crew, takers=takers, progress=progress, stop=stop)
        is_whole = replay.run()
    if is_whole and not progress.frames:
        raise ConfigError(f"{config.recording[0]}: there is no frame in this part of it")
    logger.info(
        "%s %d frames in %.1f s (%.1f a second): %d processed, %d failed",
        "replayed" if is_whole else "stopped after",
        progress.frames,
        progress.seconds,
        progress.frames / max(progress.seconds, 1e-6),
        replay.processed,
        replay.failed,
    )
    if comparison is not None:
        status = _report(config, comparison, is_whole=is_whole and not footage.is_cut)
    else:
        status = 1 if replay.failed else 0
    return status if stop.number is None else 128 + stop.number


def _check_outputs(config: ReplayConfig, recordings: Sequence[Recording]) -> None:
    """Raise ConfigError where an output would be written over what is read."""
    read = {each.path.resolve() for each in recordings}
    read |= {each.sidecar.path.resolve() for each in recordings if each.sidecar is not None}
    if config.compare is not None:
        read.add(config.compare.resolve())
    for name, path in (("OUT", config.out), ("VIDEO", config.video)):
        if path is not None and path.resolve() in read:
            raise ConfigError(f"RECEIVER_{name}: expected another file than what is read, {path}")
        # Beside a film of its name it would be taken for the film's sidecar.
        if path is not None and path.with_suffix(".mkv").resolve() in read:
            raise ConfigError(
                f"RECEIVER_{name}: expected another name than the recording's, {path}"
            )
    if config.out and config.video and config.out.resolve() == config.video.resolve():
        raise ConfigError(f"RECEIVER_VIDEO: expected another file than --out, {config.video}")
    if config.video is not None and config.video.suffix != ".mkv":
        raise ConfigError(f"RECEIVER_VIDEO: expected a file name that ends in .mkv, {config.video}")


def _open_comparison(config: ReplayConfig, recordings: Sequence[Recording]) -> Comparison | None:
    if config.compare is None:
        return None
    paths = [config.compare]
    if _is_recorded(config):
        paths = [each.sidecar.path for each in recordings if each.sidecar is not None]
    try:
        old = ResultIndex(*paths)
    except OSError as exc:
        raise ConfigError(
            f"RECEIVER_COMPARE: {exc.filename} cannot be read ({exc.strerror})"
        ) from None
    if not len(old):
        where = "the recordings" if _is_recorded(config) else str(config.compare)
        raise ConfigError(f"RECEIVER_COMPARE: there is no result in {where}")
    return Comparison(
        old, tolerance=config.tolerance, ignore=config.ignore, most=config.differences
    )


def _is_recorded(config: ReplayConfig) -> bool:
    return config.compare == Path("recording")


def _open_outputs(config: ReplayConfig, footage: Footage, stack: ExitStack) -> list[Taker]:
    takers: list[Taker] = []
    out = config.out
    if out is None and config.video is None and config.compare is None:
        out = STDOUT
    if out is not None:
        ledger = Ledger(out)
        stack.callback(ledger.close)
        takers.append(lambda result, _: ledger.add(facts_of(result, timings=config.timings)))
    if config.video is not None:
        video = Video(config.video, footage.cameras, quality=config.annotated_quality)
        stack.callback(video.close)
        takers.append(video.add)
    return takers


def _report(config: ReplayConfig, comparison: Comparison, *, is_whole: bool) -> int:
    """Print what changed; return 1 where something did.

    While it was recorded, the hook had no time for some frames: that is no change.
    """
    only_old = comparison.only_old(whole=is_whole)
    lines = comparison.listed
    if comparison.changed and config.differences and len(lines) == config.differences:
        lines = [*lines, "..."]
    counts = (
        f"{comparison.same} same, {comparison.changed} changed, "
        f"{only_old} only old, {comparison.only_new} only new"
    )
    sys.stdout.write("".join(f"{line}\n" for line in [*lines, counts]))
    sys.stdout.flush()
    is_missing = bool(only_old or comparison.only_new) and not _is_recorded(config)
    return 1 if comparison.changed or is_missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
