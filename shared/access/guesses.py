"""Guesses: bounds how many different tokens that are wrong an address may try."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from shared.access.network import ADDRESSES

#: So many at once, then so many a second. In a year that is 63 million, of 2^96.
BURST, PER_SECOND = 20, 2.0
#: Wrong tokens that are remembered of an address.
_WRONG = 8


@dataclass(slots=True)
class _Account:
    left: float
    at: float
    wrong: deque[bytes] = field(default_factory=lambda: deque(maxlen=_WRONG))


class Guesses:
    """Any thread. A program that brings the same wrong token again and again makes one guess."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._accounts: OrderedDict[str, _Account] = OrderedDict()

    def take(self, network: str, key: bytes) -> bool:
        """Take a guess of `network`'s at the token that `key` stands for; False if none is left."""
        with self._lock:
            account = self._account(network)
            if key in account.wrong:
                return True
            if account.left < 1:
                return False
            account.left -= 1
            account.wrong.append(key)
            return True

    def give_back(self, network: str, key: bytes) -> None:
        """It was no guess: the token was right."""
        with self._lock:
            account = self._account(network)
            if key in account.wrong:
                account.wrong.remove(key)
                account.left = min(BURST, account.left + 1)

    def wait(self, network: str) -> int:
        """Return the seconds until there is a guess again, from 1."""
        with self._lock:
            return max(1, math.ceil((1 - self._account(network).left) / PER_SECOND))

    def __len__(self) -> int:
        return len(self._accounts)

    def _account(self, network: str) -> _Account:
        now = self._clock()
        account = self._accounts.get(network)
        if account is None:
            account = self._accounts[network] = _Account(BURST, now)
            if len(self._accounts) > ADDRESSES:
                self._accounts.popitem(last=False)
        self._accounts.move_to_end(network)
        account.left = min(BURST, account.left + (now - account.at) * PER_SECOND)
        account.at = now
        return account
