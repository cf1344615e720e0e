"""RedisListener: takes the frames that programs SET in a Redis and PUBLISH the keys of."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Literal

from receiver.base64_text import longest
from receiver.desk import Desk
from receiver.listeners.contract import ListenerStatus
from receiver.listeners.redis_answers import RedisAnswers
from receiver.listeners.redis_news import DEADLINE, RedisNews
from receiver.listeners.redis_place import RedisPlace
from receiver.listeners.redis_value import read_value
from shared.backoff import Backoff
from shared.errors import FrameError
from shared.redis_envelope import MAX_ENVELOPE, SUFFIX
from shared.redis_line import Command, RedisLine, RedisRefusal, RedisTrouble
from shared.trouble import Trouble
from shared.worker import Worker

logger = logging.getLogger(__name__)

#: So many cameras' frames are asked for at once: as many are held in memory.
_BATCH = 4
_CEILING = 5.0
#: Seconds without a refused frame before the next one is told of.
_SETTLE = 30.0

#: superseded: published again before it was fetched · gone: nothing lay under the key · lost: Redis
#: did not give it.
Outcome = Literal["taken", "refused", "superseded", "gone", "lost"]


class RedisListener(Worker):
    """Listens on one topic, fetches the newest frame of each camera that is told of, and gives it
    to the desk. A Redis that is away is waited for, in growing pauses.

    The key is the camera's name. What stands in Redis is never trusted: it is checked as a POST is.
    """

    def __init__(
        self,
        place: RedisPlace,
        desk: Desk,
        *,
        answers: RedisAnswers,
        max_bytes: int,
        news: RedisNews | None = None,
        store: RedisLine | None = None,
        backoff: Backoff | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(f"listener {place.shown}")
        self._place = place
        self._desk = desk
        self._answers = answers
        self._max_bytes = max_bytes
        self._news = news or RedisNews(place, clock=clock)
        self._store = store or RedisLine(place.url, deadline=DEADLINE, clock=clock)
        self._backoff = backoff or Backoff(0.25, _CEILING)
        self._trouble = Trouble(self.name, over="listens again", logger=logger, clock=clock)
        self._refusals = Trouble(
            self.name, over="no more frames are refused", logger=logger, settle=_SETTLE, clock=clock
        )
        self._outcomes: Counter[Outcome] = Counter()
        self._opened = 0

    def step(self) -> None:
        """Take what is told of now, or wait a moment; subscribe where that is to be done."""
        try:
            if not self._news.is_open:
                self._news.open()
                self._opened += 1
                if self._opened == 1:
                    logger.info("%s: listening", self.name)
            self._fetch_all(self._newest(self._news.read()))
            self._backoff.reset()
            self._trouble.worked()
            self._refusals.worked()
        except RedisTrouble as exc:
            self._news.close()
            self._store.close()
            if self.stopping:
                return
            self._trouble.happened(exc.reason, f"{exc}; trying again")
            self.pause(self._backoff.next())

    def close(self) -> None:
        self._news.close()
        self._store.close()

    def wake(self) -> None:
        # Nothing that it waits for is worth waiting for now.
        self._news.interrupt()
        self._store.interrupt()

    def status(self) -> ListenerStatus:
        return ListenerStatus(
            url=self._place.url.shown,
            topic=self._place.topic,
            is_up=self._news.is_open,
            reconnects=max(0, self._opened - 1),
            outcomes=dict(self._outcomes),
            results=self._answers.outcomes(),
        )

    def _newest(self, names: list[bytes]) -> list[str]:
        """Return each camera that is told of once, and count what need not be fetched."""
        known = dict.fromkeys(names)
        self._outcomes["superseded"] += len(names) - len(known)
        cameras = []
        for name in known:
            camera = name.decode("utf-8", "replace")
            try:
                with self._desk.counting_refusals(camera):
                    cameras.append(camera)
            except FrameError as exc:
                self._refuse(exc, f"a key that names no camera is left alone: {exc}")
        return cameras

    def _fetch_all(self, cameras: list[str]) -> None:
        done = 0
        try:
            while done < len(cameras):
                self._fetch(cameras[done : done + _BATCH])
                done = min(done + _BATCH, len(cameras))
        finally:
            self._outcomes["lost"] += len(cameras) - done

    def _fetch(self, cameras: list[str]) -> None:
        """Take the newest frame of each; raise RedisTrouble."""
        commands: list[Command] = []
        for camera in cameras:
            # In one transaction, for frame and envelope must be of one moment; a part of what is
            # too long, for the whole would have to be held.
            commands += [
                ("MULTI",),
                ("GETRANGE", camera, "0", str(longest(self._max_bytes))),
                ("GETRANGE", camera + SUFFIX, "0", str(MAX_ENVELOPE)),
                ("EXEC",),
            ]
        replies = self._store.ask(*commands)
        received = time.time()
        for number, camera in enumerate(cameras):
            try:
                with self._desk.counting_refusals(camera):
                    self._take(camera, replies[4 * number : 4 * number + 4], received)
            except FrameError as exc:
                self._refuse(exc, f"what lies under the key {camera} is refused: {exc}")

    def _take(self, camera: str, replies: list[Any], received: float) -> None:
        found = replies[-1] if isinstance(replies[-1], list) else []
        for reply in (*replies, *found):
            if isinstance(reply, RedisRefusal):  # a value of another type, a key that is not ours
                raise FrameError(f"Redis {reply}", status=422, reason="redis")
        data, envelope = found if len(found) == 2 else (b"", b"")
        if not data:
            self._outcomes["gone"] += 1
            self._refusals.happened("gone", f"nothing lies under the key {camera}; is it expired?")
            return
        value = read_value(bytes(data), bytes(envelope), max_bytes=self._max_bytes)
        # First, for its result may be there before we come back.
        is_new = self._answers.comes(camera)
        try:
            self._desk.take(
                *(camera, value.picture, value.envelope),
                media_type=value.media_type,
                received=received,
            )
        except FrameError:
            if is_new:
                self._answers.forgotten(camera)
            raise
        self._outcomes["taken"] += 1
        self._answers.came(received)

    def _refuse(self, exc: FrameError, sentence: str) -> None:
        self._outcomes["refused"] += 1
        if not self.stopping:  # of which every frame is told
            self._refusals.happened(exc.reason, sentence)
