"""RedisNews: the keys whose names are published on a topic, and whether Redis is still there."""

from __future__ import annotations

import time
from collections.abc import Callable

from receiver.listeners.redis_place import RedisPlace
from shared.redis_line import RedisLine, RedisRefusal, RedisSilence

#: Seconds for Redis to answer when a subscription begins.
DEADLINE = 2.0
#: Seconds without a message before Redis is asked whether it is there, and before it is given up.
_QUIET = 0.9
_LOST = 1.8
#: Longest wait for a message, in seconds.
_WAIT = 0.3
#: So many messages that wait are read before their keys are looked at.
_MOST = 1000
#: How messages begin: ["message", topic, data], ["pmessage", pattern, topic, data].
_MESSAGES = ([b"message"], [b"pmessage"])


class RedisNews:
    """A subscription. For one thread; only `interrupt` may come from others.

    Messages hold nothing but keys' names. One who reads them too slowly all the same is cut off by
    Redis (client-output-buffer-limit) and subscribes anew: then only the newest counts anyway.
    """

    def __init__(
        self,
        place: RedisPlace,
        line: RedisLine | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._place = place
        self._line = line or RedisLine(place.url, deadline=DEADLINE)
        self._clock = clock
        self._heard_at = 0.0
        self._has_asked = False
        self.is_open = False

    def open(self) -> None:
        """Subscribe; raise RedisTrouble."""
        self._line.close()
        self._line.send(
            ("PSUBSCRIBE" if self._place.is_pattern else "SUBSCRIBE", self._place.topic)
        )
        reply = self._line.hear(DEADLINE)
        if isinstance(reply, RedisRefusal):
            raise reply
        if reply is None:
            raise RedisSilence(f"no reply within {DEADLINE:g} s", reason="timeout")
        self.is_open = True
        self._heard()

    def read(self) -> list[bytes]:
        """Return the names that were published by now, after a short wait for the first.

        A name that was published several times stands there several times. Raise RedisTrouble.
        """
        names: list[bytes] = []
        wait = self._until_next_look()
        while len(names) < _MOST and (message := self._line.hear(wait)) is not None:
            self._heard()
            wait = 0.0
            if isinstance(message, list) and message[:1] in _MESSAGES:
                names.append(bytes(message[-1]))
        if not names:
            self._look()
        return names

    def close(self) -> None:
        self.is_open = False
        self._line.close()

    def interrupt(self) -> None:
        self._line.interrupt()

    def _heard(self) -> None:
        self._heard_at = self._clock()
        self._has_asked = False

    def _until_next_look(self) -> float:
        due = self._heard_at + (_LOST if self._has_asked else _QUIET)
        return min(_WAIT, max(0.0, due - self._clock()))

    def _look(self) -> None:
        quiet = self._clock() - self._heard_at
        if quiet >= _LOST:
            raise RedisSilence(f"no sign of life for {_LOST:g} s", reason="timeout")
        if quiet >= _QUIET and not self._has_asked:
            self._has_asked = True
            self._line.send(("PING",))
