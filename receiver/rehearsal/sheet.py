"""Sheet: what a rehearsal came to, for people."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator

from receiver.hooking.answer import Answer
from receiver.rehearsal.rehearsal import RUNS, Outcome, Stage
from receiver.rehearsal.remedy import remedy, users_part

_MAX_RESULT = 400


def lines(target: str, stage: Stage, outcome: Outcome, *, start: str) -> Iterator[str]:
    """Yield all that is to be said of the hook `target`; `start` is the command that runs it."""
    yield f"{target}: {'works' if outcome.error is None else 'does not work'}"
    first = stage.pictures[0]
    yield _line("picture", f"{first.width}x{first.height}, {first.media_type}")
    if outcome.setup is not None:
        said = f"{outcome.setup:.2f} s, from the start of its process to the end of setup"
        yield _line("loaded in", said)
    good = [answer for answer in outcome.answers if answer.error is None]
    if good:
        yield from _results(good)
    if outcome.memory is not None:
        yield _line("memory", f"{outcome.memory / 2**20:.0f} MiB at most")
    if outcome.setup is not None:
        kind = (
            "stateful: each camera keeps to one worker"
            if outcome.stateful
            else ("every frame stands alone: any worker takes any camera's frames")
        )
        yield _line("kind", kind)
    if outcome.error is None:
        yield _line("start", start)
        return
    yield _line("problem", outcome.error)
    if outcome.trace:
        yield from (f"    {line}" for line in users_part(outcome.trace).splitlines())
    if advice := remedy(outcome.error, outcome.trace):
        yield _line("change", advice)


def _results(answers: list[Answer]) -> Iterator[str]:
    first, last = answers[0], answers[-1]
    if last.value is None and last.picture is None:
        yield _line("result", "nothing: it returned None, so nobody will see anything of it")
    else:
        yield _line("result", _shorten(json.dumps(last.value)))
    if last.picture is not None:
        yield _line("drawn", f"{last.width}x{last.height}, {len(last.picture)} bytes of JPEG")
    times = [1000 * (answer.decode + answer.hook) for answer in answers]
    median = statistics.median(times[1:] or times)
    yield _line(
        "takes",
        f"first {1000 * (first.decode + first.hook):.1f} ms, then {median:.1f} ms (median of "
        f"{max(1, len(times) - 1)} of {RUNS}; decoding included): about "
        f"{1000 / max(median, 0.1):.0f} frames a second with one worker",
    )


def _line(label: str, text: str) -> str:
    return f"  {label:<10} {text}"


def _shorten(text: str) -> str:
    if len(text) <= _MAX_RESULT:
        return text
    return f"{text[:_MAX_RESULT]} ... ({len(text)} characters)"
