"""Comparison: which results are not what they were, and in what."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Container, Iterator, Sequence
from typing import Any

from shared.result_index import ResultIndex, key_of

#: `(my_hook.py:12)` at an error's end: the line moves whenever the file is edited.
_PLACE = re.compile(r" \([^()]+:\d+\)$")
_NUMBER = re.compile(r"\[\d+\]")
_MAX_SHOWN = 60


def differences(
    old: Any, new: Any, *, tolerance: float, ignore: Container[str] = (), where: str = ""
) -> Iterator[str]:
    """Yield `objects[0].score: 0.91 → 0.87` for each place where two JSON values differ.

    Numbers differ when they are more than `tolerance` apart, or by more than that share where they
    are larger than 1. `ignore` holds places without their numbers, as `objects[].score`.
    """
    if _NUMBER.sub("[]", where) in ignore:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for name in dict.fromkeys([*old, *new]):
            place = f"{where}.{name}" if where else str(name)
            if name in old and name in new:
                yield from differences(
                    old[name], new[name], tolerance=tolerance, ignore=ignore, where=place
                )
            elif _NUMBER.sub("[]", place) not in ignore:
                one = _shown(old[name]) if name in old else "nothing"
                other = _shown(new[name]) if name in new else "nothing"
                yield f"{place}: {one} → {other}"
    elif isinstance(old, list) and isinstance(new, list):
        if len(old) != len(new):
            yield f"{where or 'result'}: {_items(old)} → {_items(new)}"
        for number, (one, other) in enumerate(zip(old, new, strict=False)):
            place = f"{where}[{number}]"
            yield from differences(one, other, tolerance=tolerance, ignore=ignore, where=place)
    elif not _is_same(old, new, tolerance):
        yield f"{where or 'result'}: {_shown(old)} → {_shown(new)}"


class Comparison:
    """Compare results with earlier ones, frame by frame. For one thread."""

    def __init__(
        self,
        old: ResultIndex,
        *,
        tolerance: float = 0.0,
        ignore: Sequence[str] = (),
        most: int = 20,
    ) -> None:
        """`most`: so many differences are kept, to be listed."""
        self._old = old
        self._tolerance = tolerance
        self._ignore = frozenset(ignore)
        self._most = most
        self.same = 0
        self.changed = 0
        #: Frames that have no earlier result.
        self.only_new = 0
        #: The first differences, with their frames.
        self.listed: list[str] = []
        #: By camera, the first and the last frame's capture, in Unix seconds.
        self._spans: dict[str, tuple[float, float]] = {}

    def add(self, facts: dict[str, Any]) -> None:
        """Compare a result, as it is written; raise OSError."""
        camera, epoch, seq = key_of(facts)
        at = facts["captured_at"]
        first, last = self._spans.get(camera, (at, at))
        self._spans[camera] = min(first, at), max(last, at)
        old = self._old.get(camera, epoch, seq)
        if old is None:
            self.only_new += 1
            return
        found = self._differences(old, facts)
        listed = list(itertools.islice(found, max(1, self._most - len(self.listed))))
        if not listed:
            self.same += 1
            return
        self.changed += 1
        room = self._most - len(self.listed)
        self.listed += [f"{camera} {epoch}/{seq}  {each}" for each in listed[:room]]

    def only_old(self, *, whole: bool) -> int:
        """Return how many earlier results are of frames that were not replayed; raise OSError.

        Of the cameras that were; and unless the `whole` was replayed, from the first frame on to
        the last.
        """
        keys = set()
        for facts in self._old:
            camera, at = facts["camera"], facts.get("captured_at", 0.0)
            if camera in self._spans:
                first, last = self._spans[camera]
                if whole or first <= at <= last:
                    keys.add(hash(key_of(facts)))
        return len(keys) - self.same - self.changed

    def _differences(self, old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
        if old.get("state") != new["state"]:
            yield f"state: {old.get('state')} → {new['state']}"
        one, other = _error(old), _error(new)
        if one != other:
            yield f"error: {_shown(one)} → {_shown(other)}"
        if new["state"] == old.get("state") == "processed":
            yield from differences(
                old.get("result"), new["result"], tolerance=self._tolerance, ignore=self._ignore
            )


def _error(facts: dict[str, Any]) -> str | None:
    error = facts.get("error")
    return None if error is None else _PLACE.sub("", str(error))


def _is_same(old: Any, new: Any, tolerance: float) -> bool:
    numbers = (int, float)
    if isinstance(old, bool) or isinstance(new, bool):
        return old is new
    if isinstance(old, numbers) and isinstance(new, numbers):
        return old == new or abs(old - new) <= tolerance * max(1, abs(old), abs(new))
    return bool(type(old) is type(new) and old == new)


def _items(found: list[Any]) -> str:
    return f"{len(found)} item{'' if len(found) == 1 else 's'}"


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 3]}..."
