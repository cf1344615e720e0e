"""RedisCarrier: puts each frame into a Redis under the camera's key, and publishes the key's name.

Frame, envelope and message go in one transaction, so that no reader meets half of them, and none
is told of a frame that Redis had no room for.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from email.message import Message
from typing import Any

from sender.carriers.redis_endpoint import RedisEndpoint
from shared import redis_envelope
from shared.http_client import NoReply, Reply
from shared.redis_line import Command, RedisLine, RedisRefusal, RedisSilence

logger = logging.getLogger(__name__)

#: Seconds for which it is believed what was last seen of the key that stops.
_LOOK = 1.0
#: How many replies a transaction ends with: to two SETs and a PUBLISH.
_DONE = 3
#: Which HTTP status says the same as Redis' answer: what the poster and the books know.
_STATUS = {
    "password": 401,
    "forbidden": 403,
    "full": 503,
    "readonly": 503,
    "loading": 503,
    "refused": 502,
}


class RedisCarrier:
    """A Client of the poster's: one connection, one frame at a time, each within the deadline.

    A frame is out of the way when Redis has it: whoever put the next one over another connection
    meanwhile could be overtaken, and the key's frame would be the older one.
    """

    def __init__(
        self,
        endpoint: RedisEndpoint,
        *,
        deadline: float = 5.0,
        told: threading.Event | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`told` is set while a note stands that nobody listens; a camera's clients share it."""
        self._endpoint = endpoint
        self._line = RedisLine(endpoint.url, deadline=deadline, clock=clock)
        self._told = told or threading.Event()
        self._clock = clock
        self._looked_at = -_LOOK
        self._is_stopped = False

    def post(
        self,
        target: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        sent: Callable[[], object] | None = None,
    ) -> Reply:
        """Put `body` under the key `target`, its envelope beside it, and tell the topic.

        Raise NoReply. `sent` is never called: the next frame waits for this one's reply.
        """
        try:
            if self._must_stop():
                name = self._endpoint.stop
                return _reply(503, f"the key {name} is set; frames go on when it is gone", wait=1)
            return self._put(target, body, headers)
        except RedisSilence as exc:
            raise NoReply(str(exc), reason=exc.reason) from exc
        except RedisRefusal as exc:
            # The frames of its traceback hold it among the replies, and would stay with it.
            exc.with_traceback(None)
            return _reply(_STATUS[exc.reason], str(exc))

    def interrupt(self) -> None:
        """End a `post` that waits, and every later one, with NoReply; from any thread."""
        self._line.interrupt()

    def close(self) -> None:
        self._line.close()

    def _must_stop(self) -> bool:
        """Tell whether the key that stops is set, as far as it was looked at lately."""
        if self._endpoint.stop and self._clock() - self._looked_at >= _LOOK:
            [found] = self._line.ask(("EXISTS", self._endpoint.stop))
            self._look(found)
        return self._is_stopped

    def _look(self, found: Any) -> None:
        if isinstance(found, RedisRefusal):
            raise found
        self._is_stopped = bool(found)
        self._looked_at = self._clock()

    def _put(self, key: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        expire = ("PX", str(round(self._endpoint.expire * 1000)))
        envelope = redis_envelope.write(headers, length=len(body))
        commands: list[Command] = [
            ("MULTI",),
            ("SET", key, body, *expire),
            ("SET", key + redis_envelope.SUFFIX, envelope, *expire),
            ("PUBLISH", self._endpoint.topic, key),
            ("EXEC",),
        ]
        if self._endpoint.stop:
            # With each frame, so that a fast camera asks no question of its own.
            commands.append(("EXISTS", self._endpoint.stop))
        replies = self._line.ask(*commands)
        done = replies[4] if isinstance(replies[4], list) else [replies[4]]
        for reply in (*replies[:4], *done):
            if isinstance(reply, RedisRefusal):
                raise reply
        if self._endpoint.stop:
            self._look(replies[5])
        if len(done) != _DONE:
            raise NoReply("no Redis that we understand: another end of EXEC", reason="protocol")
        self._listened(done[-1] != 0)
        return _reply(202, "")

    def _listened(self, is_heard: bool) -> None:
        if is_heard:
            self._told.clear()
        elif not self._told.is_set():
            self._told.set()
            logger.info(
                "%s: nobody listens to the topic %s; frames wait under the key %s",
                *(self._endpoint.shown, self._endpoint.topic, self._endpoint.target),
            )


def _reply(status: int, words: str, *, wait: int = 0) -> Reply:
    headers = Message()
    if wait:
        headers["Retry-After"] = str(wait)
    return Reply(status, headers, words.encode())
