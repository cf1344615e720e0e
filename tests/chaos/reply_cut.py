"""ReplyCut: forwards requests whole and keeps a share of the replies; it knows which."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass
from typing import Literal

from tests.chaos.request_reader import Request, RequestReader
from tests.chaos.toxics import Flow, HangUp


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request that went through whole, on the `connection`th one, and whether it was answered."""

    connection: int
    request: Request
    cut: bool
    #: Monotonic seconds at which the request's last byte passed.
    at: float


class ReplyCut:
    """Lets `share` of the replies end after `after` bytes: by a close, or in silence.

    What becomes of the n-th request that passes depends on the seed alone. Only when a reply's
    first byte came is it cut, so that the server has done what was asked.
    """

    def __init__(
        self,
        share: float,
        *,
        after: int = 0,
        how: Literal["close", "silence"] = "close",
        seed: int = 0,
    ) -> None:
        self._share, self._after, self._how = share, after, how
        self._rng = random.Random(seed)
        #: In the order in which the requests passed; only appended to, so any thread may read.
        self.log: list[Exchange] = []

    def decide(self, connection: int, request: Request) -> bool:
        """Enter a request that passed; say whether its reply is to be cut."""
        cut = self._rng.random() < self._share
        self.log.append(Exchange(connection, request, cut, time.monotonic()))
        return cut

    def watch(self, connection: int) -> CutConnection:
        return CutConnection(self, connection)

    async def shorten(self, flow: Flow, first: bytes) -> Flow:
        """Give what is left of a reply that begins with `first`, and end."""
        passed = 0
        data = first
        while passed + len(data) < self._after:
            passed += len(data)
            yield data
            data = await anext(flow, b"")
            if not data:
                return
        if head := data[: self._after - passed]:
            yield head
        if self._how == "close":
            raise HangUp
        await asyncio.Event().wait()


class CutConnection:
    """The cut's view of one connection: both of its directions."""

    def __init__(self, cut: ReplyCut, number: int) -> None:
        self._cut, self._number = cut, number
        self._requests = RequestReader()
        self._is_cut = False

    async def up(self, flow: Flow) -> Flow:
        async for data in flow:
            for request in self._requests.feed(data):
                self._is_cut = self._cut.decide(self._number, request)
            yield data

    async def down(self, flow: Flow) -> Flow:
        async for data in flow:
            if not self._is_cut:
                yield data
                continue
            async for rest in self._cut.shorten(flow, data):
                yield rest
            return
