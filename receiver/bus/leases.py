"""Leases: the cameras that one worker alone may run a stateful hook on, as locks in Redis."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from redis.exceptions import LockError
from redis.lock import Lock

from receiver.bus import keys
from receiver.bus.link import Client

#: Seconds until a camera of a worker that says nothing is free, and between two words.
LEASE = 2.0
RENEW = 0.5
#: Seconds without a frame after which a camera is let go.
_UNUSED = 600.0
_MOMENT = 5.0


class Leases:
    """One worker's. For one thread; the count may be read from any.

    A lease counts here for as long as it surely stands in Redis, whatever the clock of Redis says.
    """

    def __init__(self, holder: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._holder = holder
        self._clock = clock
        #: The lock, and until when it is surely held.
        self._held: dict[str, tuple[Lock, float]] = {}
        self._used: dict[str, float] = {}
        self._given: deque[float] = deque(maxlen=64)

    def __len__(self) -> int:
        return len(self._held)

    def has(self, client: Client, camera: str) -> bool:
        """Say whether the lease is held, whether we know it or not."""
        if camera in self._held:
            return True
        holder: bytes | None = client.get(keys.lease(camera))
        return holder == self._holder.encode()

    def hold(self, client: Client, camera: str) -> bool | None:
        """Return True when the lease is held, False when it is new, None when it is another's."""
        held = self._held.get(camera)
        self._used[camera] = self._clock()
        if held is not None and self._clock() < held[1]:
            return True
        self._held.pop(camera, None)
        until = self._clock() + LEASE
        lock = Lock(client, keys.lease(camera), timeout=LEASE, thread_local=False)
        if not lock.acquire(blocking=False, token=self._holder):
            if client.get(keys.lease(camera)) != self._holder.encode():
                return None
            # Ours, though we did not hear so.
            lock.local.token = self._holder.encode()
            lock.reacquire()
        self._held[camera] = lock, until
        return False

    def renew(self, is_ours: Callable[[str], bool]) -> None:
        """Prolong those of cameras that still come and are ours; forget those that were lost."""
        self._used = {camera: at for camera, at in self._used.items() if camera in self._held}
        for camera, (lock, _) in list(self._held.items()):
            if not is_ours(camera) or self._clock() - self._used[camera] > _UNUSED:
                self._release(camera)
                continue
            until = self._clock() + LEASE
            try:
                lock.reacquire()
            except LockError:
                del self._held[camera]
            else:
                self._held[camera] = lock, until

    def give_up(self, most: int) -> None:
        """Leave all but `most` to others, the newest first."""
        for camera in list(self._held)[max(0, most) :]:
            self._release(camera)
            self._given.append(self._clock())

    @property
    def given(self) -> int:
        """How many were given up a moment ago, and are perhaps nobody's yet."""
        return sum(at > self._clock() - _MOMENT for at in self._given)

    def _release(self, camera: str) -> None:
        lock, _ = self._held.pop(camera)
        with suppress(LockError):  # it was lost before
            lock.release()
