"""Place: a hub that listens to a real Redis, and a program at its other end that knows nothing of
ours: plain redis-py, as the users of such programs write them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from prometheus_client import CollectorRegistry

from receiver.desk import Desk
from receiver.hub import Hub
from receiver.listeners.listeners import Listeners
from receiver.listeners.ways import make_ways
from receiver.metrics import HubCollector, Parts
from shared.seats import Seats
from tests.receiver.answering import Answering
from tests.redis_server import RedisServer

MAX_BYTES = 100_000
MAX_PIXELS = 640 * 480


class Place:
    """Entered when it listens; `hook` answers each frame at once."""

    def __init__(self, *urls: str) -> None:
        ways = make_ways([*urls], max_bytes=MAX_BYTES)
        answers = [way.answers for way in ways if way.answers is not None]
        self.hub = Hub(max_cameras=4, observers=answers)
        self.hook = Answering(self.hub)
        self.desk = Desk(
            self.hub, max_pixels=MAX_PIXELS, seats=Seats(4), has_hook=lambda camera: True
        )
        self.listeners = Listeners(ways, self.desk)
        self._registry = CollectorRegistry()
        self._registry.register(Parts(HubCollector(self.hub), self.listeners))
        self._urls = urls

    def __enter__(self) -> Self:
        self.listeners.start()
        try:
            self.wait_until("a subscription", self.is_up)
        except BaseException:
            self.listeners.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.listeners.drain()
        self.hub.close()
        self.listeners.stop()
        assert self.listeners.error is None

    def is_up(self) -> bool:
        return self.metric("framepost_listener_up") == len(self._urls)

    def metric(self, name: str, **labels: str) -> float:
        """Return the sum of a metric's samples that have these labels."""
        return sum(
            sample.value
            for family in self._registry.collect()
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def messages(self, outcome: str) -> float:
        return self.metric("framepost_listener_messages_total", outcome=outcome)

    def wait_until(self, what: str, condition: Callable[[], object], seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"waited {seconds:g} s in vain for {what}"
            time.sleep(0.005)

    def wait_for_messages(self, count: int, *outcomes: str) -> None:
        """Wait until so many messages had one of these outcomes."""
        what = f"{count} messages {' or '.join(outcomes)}"
        self.wait_until(what, lambda: sum(map(self.messages, outcomes)) == count)

    def wait_for_frames(self, count: int, camera: str = "cam1") -> None:
        """Wait until `count` frames of the camera were processed in all."""

        def is_there() -> bool:
            found = self.hub.get(camera)
            return found is not None and found.books().processed >= count

        self.wait_until(f"{count} frames of {camera}", is_there)


class Plain:
    """A camera program in the classic style, and what it reads afterwards."""

    def __init__(self, server: RedisServer) -> None:
        self.redis: Any = server.client()

    def send(self, value: bytes | str, *, key: bytes | str = "cam1", topic: str = "img0") -> None:
        self.redis.set(key, value)
        self.redis.publish(topic, key)

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Have Redis do all that is asked of it within as one, when it ends."""
        redis = self.redis
        with redis.pipeline() as self.redis:
            yield
            self.redis.execute()
        self.redis = redis

    def seconds_left(self, key: str) -> float:
        return float(self.redis.pttl(key)) / 1000
