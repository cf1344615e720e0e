"""Toxics: what can happen to the bytes of one direction, one class for each.

A direction is a flow of pieces of bytes; a toxic takes one and gives one, so they stand in a row.
What one instance counts, a bandwidth or how often it strikes, all connections share.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Protocol

#: Ends with the sender's end of its direction.
Flow = AsyncIterator[bytes]

#: Pieces under way in a line with a latency; beyond, the sender has to wait.
_UNDER_WAY = 64


class Broken(Exception):
    """Raised to end both directions when all before it has arrived."""


class Reset(Broken):
    """... by a reset, as from a machine that knows nothing of the connection."""


class HangUp(Broken):
    """... as by a program that closes."""


class Toxic(Protocol):
    """Spoils a flow; in the proxy's loop, `rng` is the connection's own."""

    def spoil(self, flow: Flow, rng: random.Random) -> Flow: ...


class Latency:
    """Lets each piece arrive `seconds` ± `jitter` later, and in order, as TCP does."""

    def __init__(self, seconds: float, jitter: float = 0.0) -> None:
        self._seconds, self._jitter = seconds, jitter

    async def spoil(self, flow: Flow, rng: random.Random) -> Flow:
        loop = asyncio.get_running_loop()
        under_way: asyncio.Queue[tuple[float, bytes | Exception]] = asyncio.Queue(_UNDER_WAY)

        async def depart() -> None:
            due = 0.0
            end: bytes | Exception = b""
            try:
                async for data in flow:
                    late = self._seconds + rng.uniform(-self._jitter, self._jitter)
                    due = max(due, loop.time() + late)
                    await under_way.put((due, data))
            except (Broken, OSError) as exc:
                end = exc
            await under_way.put((due, end))

        departing = asyncio.create_task(depart())
        try:
            while True:
                due, data = await under_way.get()
                await asyncio.sleep(due - loop.time())
                if isinstance(data, Exception):
                    raise data
                if not data:
                    return
                yield data
        finally:
            departing.cancel()


class Bandwidth:
    """Lets `rate` bytes a second through, for all connections together, an even stream."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        #: Loop time at which the line has sent all that it was given.
        self._free = 0.0

    async def spoil(self, flow: Flow, rng: random.Random) -> Flow:
        loop = asyncio.get_running_loop()
        piece = max(1, min(4 << 10, int(self._rate / 50)))
        async for data in flow:
            for start in range(0, len(data), piece):
                part = data[start : start + piece]
                self._free = max(self._free, loop.time()) + len(part) / self._rate
                await asyncio.sleep(self._free - loop.time())
                yield part


class Slicer:
    """Cuts into pieces of `size` bytes, `pause` seconds apart."""

    def __init__(self, size: int, pause: float = 0.0) -> None:
        self._size, self._pause = size, pause

    async def spoil(self, flow: Flow, rng: random.Random) -> Flow:
        async for data in flow:
            for start in range(0, len(data), self._size):
                yield data[start : start + self._size]
                await asyncio.sleep(self._pause)


class Break:
    """Ends a connection after `at` bytes of this direction, `times` connections, then no more.

    `how` is Reset or HangUp.
    """

    def __init__(self, at: int, *, how: type[Broken] = Reset, times: int | None = None) -> None:
        self._at, self._how = at, how
        self._left = times
        #: How many connections it ended.
        self.struck = 0

    async def spoil(self, flow: Flow, rng: random.Random) -> Flow:
        passed = 0
        async for data in flow:
            if passed + len(data) < self._at or self._left == 0:
                passed += len(data)
                yield data
                continue
            self.struck += 1
            if self._left is not None:
                self._left -= 1
            if head := data[: self._at - passed]:
                yield head
            raise self._how


class Stall:
    """Lets `at` bytes through and then nothing, with the connection open."""

    def __init__(self, at: int) -> None:
        self._at = at

    async def spoil(self, flow: Flow, rng: random.Random) -> Flow:
        passed = 0
        async for data in flow:
            if passed < self._at:
                yield data[: self._at - passed]
            passed += len(data)
            # What came later is read and lost, so that the sender's end is seen.
