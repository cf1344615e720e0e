"""Journal: the newest results of all cameras in the order in which they came, for the feeds."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Collection
from itertools import islice, repeat
from typing import Any

from receiver.order import is_before
from receiver.result import Result
from shared.frame import EncodedFrame

#: How much is held, in results and in bytes, as far as one can tell without encoding them.
_LIMIT = 10_000
_MAX_BYTES = 32 << 20
#: Of which cameras the results were is remembered for longer, to count those that a reader lost.
_REMEMBERED = 100_000
_NUMBERS = {int, float, bool, type(None)}


class Entry:
    """One result, with its number once it stands in the journal."""

    __slots__ = ("_data", "_facts", "_lock", "camera", "number", "weight")

    def __init__(self, result: Result) -> None:
        # Not the result itself: its pictures would be held too.
        self._facts: dict[str, Any] | None = result.facts()
        self._data = b""
        self._lock = threading.Lock()
        #: Counts the results of this receiver, from 1.
        self.number = 0
        self.camera = result.frame.camera
        #: Bytes of memory, roughly.
        self.weight = weigh(self._facts)

    @property
    def data(self) -> bytes:
        """The result's facts as one line of JSON, encoded once, when somebody first asks."""
        with self._lock:
            if self._facts is not None:
                self._data = json.dumps(self._facts, separators=(",", ":")).encode()
                self._facts = None
            return self._data


class Journal:
    """An Observer of the hub. It never waits for a reader: what is old makes room.

    Any thread. Hold `changed` where several answers must be of one moment.
    """

    def __init__(
        self, *, limit: int = _LIMIT, max_bytes: int = _MAX_BYTES, only_ours: bool = False
    ) -> None:
        """`only_ours`: without the results of frames that other receivers took."""
        self.changed = threading.Condition()
        self.is_closed = False
        #: The newest entry's number, 0 before the first.
        self.last = 0
        #: How many results readers did not get because they were too slow or came too late.
        self.skipped = 0
        self._only_ours = only_ours
        self._limit = limit
        self._max_bytes = max_bytes
        self._boot = secrets.token_hex(4)
        self._entries: deque[Entry] = deque()
        self._bytes = 0
        # All of its room at once: a receiver would grow by it for its first hours.
        self._cameras = deque(repeat("", _REMEMBERED), maxlen=_REMEMBERED)
        self._newest: dict[str, tuple[EncodedFrame, Entry]] = {}
        self._listeners: tuple[Callable[[], None], ...] = ()

    @property
    def first(self) -> int:
        """The number of the oldest entry that is held; `last` + 1 when there is none."""
        return self.last + 1 - len(self._entries)

    def received(self, frame: EncodedFrame) -> None: ...

    def finished(self, result: Result) -> None:
        if self._only_ours and not result.is_ours:
            return
        entry = Entry(result)
        with self.changed:
            self.last += 1
            entry.number = self.last
            known = self._newest.get(entry.camera)
            if known is not None:
                # Each frame brings a text of its own, which would be held for as long as the name.
                entry.camera = known[1].camera
            self._entries.append(entry)
            self._cameras.append(entry.camera)
            self._bytes += entry.weight
            while len(self._entries) > self._limit or self._bytes > self._max_bytes:
                self._bytes -= self._entries.popleft().weight
            if known is None or not is_before(result.frame, known[0]):
                self._newest[entry.camera] = result.frame, entry
            self.changed.notify()
        for listener in self._listeners:
            listener()

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` after every entry; it must not block. Call what is returned to stop."""
        with self.changed:
            self._listeners = (*self._listeners, listener)

        def stop() -> None:
            with self.changed:
                self._listeners = tuple(each for each in self._listeners if each is not listener)

        return stop

    def forgotten(self, camera: str) -> None:
        with self.changed:
            self._newest.pop(camera, None)

    def closed(self) -> None:
        with self.changed:
            self.is_closed = True
            self.changed.notify_all()

    def wait(self, is_over: Callable[[], bool], timeout: float) -> None:
        """Wait until `is_over`, or for `timeout` seconds; with `changed` held.

        A new entry wakes one waiter, who wakes the next: woken all at once, a crowd of readers
        would keep frames from the interpreter for as long as it takes to serve them all.
        """
        end = time.monotonic() + timeout
        while not is_over() and (left := end - time.monotonic()) > 0:
            known = self.last
            # Who came first is woken first, so the chain ends with those who know it already.
            self.changed.wait(left)
            if self.last != known:
                self.changed.notify()

    def entry(self, number: int) -> Entry:
        """Return a held entry."""
        return self._entries[number - self.first]

    def newest(self, cameras: Collection[str] | None = None) -> list[Entry]:
        """Return the newest result of each camera, or of each of `cameras`, oldest first."""
        with self.changed:
            found = [entry for _, entry in self._newest.values()]
        return sorted(
            (entry for entry in found if cameras is None or entry.camera in cameras),
            key=lambda entry: entry.number,
        )

    def count(self, after: int, upto: int, cameras: Collection[str] | None = None) -> int:
        """Return how many of the entries after `after` up to `upto` are of `cameras`.

        Of certain cameras only the last 100,000 results are known.
        """
        if cameras is None:
            return upto - after
        with self.changed:
            span = islice(reversed(self._cameras), self.last - upto, self.last - after)
            return sum(1 for camera in span if camera in cameras)

    def format_id(self, number: int) -> str:
        """Return the entry's name, which no other receiver's entry has."""
        return f"{self._boot}-{number}"

    def parse_id(self, text: str) -> int | None:
        """Return the number in an id of this receiver, None for any other text."""
        boot, _, digits = text.partition("-")
        if boot != self._boot or not (digits.isascii() and digits.isdigit() and len(digits) < 19):
            return None
        number = int(digits)
        return number if number <= self.last else None


def weigh(value: object) -> int:
    """Return the bytes of memory that a JSON-able value takes, roughly."""
    if isinstance(value, str):
        return 56 + len(value)
    if isinstance(value, dict):
        return 64 + sum(weigh(key) + weigh(item) for key, item in value.items())
    if isinstance(value, list):
        # A list of numbers may be long, and its numbers weigh the same.
        if set(map(type, value)) <= _NUMBERS:
            return 64 + 40 * len(value)
        return 64 + sum(map(weigh, value))
    return 32
