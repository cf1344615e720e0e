"""Seat: one hook worker's place on the bus; fetches a frame for it whenever it is free."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from redis.exceptions import ResponseError

from receiver.bus import keys
from receiver.bus.leases import RENEW, Leases
from receiver.bus.link import PATIENCE, BusDown, Client, Link
from receiver.bus.members import Members
from receiver.bus.messages import Garbage, make_garbage
from receiver.bus.returns import Parcel, Returns
from receiver.bus.tokens import DEAD, Taken, Token, Tokens
from receiver.hooking.schedule import Task
from receiver.result import Result
from shared.frame import EncodedFrame
from shared.worker import Worker

#: Seconds for which the own stream stands after the end.
_LEFT = 10.0


class Held:
    """A frame that the hook has: the `Origin` of its task."""

    def __init__(self, seat: Seat, returns: Returns, taken: Taken) -> None:
        self.name = taken.token.camera
        self.seat = seat
        self._returns = returns
        self._taken = taken

    def finish(self, result: Result) -> None:
        self._returns.put(Parcel(self._taken, result))

    def abandon(self, frame: EncodedFrame, error: str) -> None:
        """As Origin says: what has to be processed is for another worker, the rest has failed."""
        if self._taken.token.key:
            self.seat.put_back(self._taken)
        else:
            self.finish(Result.failed(frame, error))


class Seat(Worker):
    """Waits for tokens, takes the frame that a token stands for, and wakes the hook's worker.

    Nothing is fetched ahead: a frame that lay here would grow old, while another worker is free.
    `take`, `done` and `leave` are for the hook worker's thread.
    """

    def __init__(
        self,
        name: str,
        hook: str,
        *,
        link: Link,
        members: Members,
        returns: Returns,
        wake: Callable[[], None],
        is_stateful: Callable[[], bool],
    ) -> None:
        """`hook` is the camera that the hook is for, or "*"."""
        super().__init__(f"bus seat {name}")
        self.seat_name = name
        self.leases = Leases(name)
        self._hook = hook
        self._link = link
        self._members = members
        self._returns = returns
        self._wake_worker = wake
        self._is_stateful = is_stateful
        self._tokens = Tokens(hook, name)
        #: The hook's worker has nothing to do.
        self._wanted = threading.Event()
        self._lock = threading.Lock()
        self._slot: Task | None = None
        self._running: Token | None = None
        self._read: deque[Token] = deque()
        #: The consumer groups are there, as far as we know.
        self._is_open = False
        self._garbage = make_garbage()
        self._look_at = 0.0

    def take(self) -> Task | None:
        with self._lock:
            task, self._slot = self._slot, None
            if task is None:
                self._wanted.set()
            return task

    def done(self) -> None:
        self._running = None

    def leave(self) -> None:
        """The hook is down: fetch nothing for it."""
        with self._lock:
            self._wanted.clear()
            task, self._slot = self._slot, None
        if task is not None:
            self._turn_down(task)

    def put_back(self, taken: Taken) -> None:
        """Let a frame that has to be processed wait for another worker; any thread."""
        # Where Redis is away the token is claimed when this seat has said nothing for long.
        with suppress(BusDown):
            self._link.call(lambda client: self._tokens.put_back(client, taken))

    def step(self) -> None:
        is_free = self._wanted.wait(PATIENCE)
        if not self._link.wait(PATIENCE):
            return
        try:
            task = self._link.call(lambda client: self._work(client, is_free))
        except Garbage as exc:
            self._garbage.happened("garbage", str(exc))
            return
        except BusDown:
            self.pause(PATIENCE)
            return
        self._garbage.worked()
        if task is None:
            return
        with self._lock:
            is_wanted = self._wanted.is_set()
            if is_wanted:
                self._slot = task
                self._wanted.clear()
        if is_wanted:
            self._wake_worker()
        else:  # the hook went down meanwhile
            self._turn_down(task)

    def close(self) -> None:
        self.leave()
        try:
            self._link.call(self._go)
        except BusDown:
            return  # the leases end by themselves, and the tokens are claimed

    def _work(self, client: Client, is_free: bool) -> Task | None:
        try:
            if not self._is_open:
                self._tokens.open(client, own=self._is_stateful())
                self._is_open = True
            self._look(client)
            return self._fetch(client) if is_free else None
        except ResponseError as exc:
            if not str(exc).startswith("NOGROUP"):
                raise
            self._is_open = False
            return None

    def _fetch(self, client: Client) -> Task | None:
        """Return the next frame, None when none came for a moment."""
        if not self._read:
            self._read += self._tokens.read(client, *self._streams(), block=PATIENCE)
        while self._read:
            token = self._read.popleft()
            held = self._hold(client, token) if self._is_stateful() else True
            if held is None:
                self._tokens.pass_on(client, token)
                continue
            taken = self._tokens.take(client, token)
            if taken is not None:
                # A stateful hook has two streams, and each gave one.
                while self._read:
                    self._tokens.pass_on(client, self._read.popleft())
                self._running = token
                origin = Held(self, self._returns, taken)
                return Task(origin, taken.frame, is_new=held is False)
        return None

    def _hold(self, client: Client, token: Token) -> bool | None:
        """As `Leases.hold`; a camera that was given up meanwhile is not taken back."""
        is_own = token.stream == self._tokens.own
        if is_own and not self.leases.has(client, token.camera):
            return None
        return self.leases.hold(client, token.camera)

    def _streams(self) -> list[str]:
        if not self._is_stateful():
            return [self._tokens.shared]
        one_more = len(self.leases) + 1
        has_room = one_more <= self._share(one_more)
        return [self._tokens.own, *([self._tokens.shared] if has_room else [])]

    def _look(self, client: Client) -> None:
        """Now and then: say that this one lives, and see to what others died with."""
        now = time.monotonic()
        if now < self._look_at:
            return
        self._look_at = now + RENEW
        running = self._running
        if running is not None:
            self._tokens.keep(client, running)
        if self._is_stateful():
            self.leases.renew(self._is_ours)
            if running is None:
                self.leases.give_up(self._share(len(self.leases) + self.leases.given))
            self._tokens.keep_own(client)
        there = self._members.seats(self._hook)
        if self.seat_name not in there or now - self._link.up_since < DEAD:
            return  # after an outage the living may not have said yet that they live
        self._inherit(client, self._tokens.shared)
        if self._is_stateful():
            for gone in self._tokens.seats(client) - there:
                self._inherit(client, keys.tokens(self._hook, gone))
                self._tokens.adopt(client, gone)

    def _inherit(self, client: Client, stream: str) -> None:
        """See to what dead workers held: what has to be processed is run once more."""
        for token, taken in self._tokens.claim(client, stream):
            if taken is None:
                self._tokens.pass_on(client, token)  # it died before it took the frame
            elif token.key:
                self._tokens.put_back(client, taken)
            else:
                held = Held(self, self._returns, taken)
                held.abandon(taken.frame, "the worker died before the hook was done")

    def _share(self, held: int) -> int:
        return self._members.share(self._hook, self.seat_name, held)

    def _turn_down(self, task: Task) -> None:
        self._running = None
        assert isinstance(task.camera, Held)
        task.camera.abandon(task.frame, "the hook went down before the frame's turn")

    def _is_ours(self, camera: str) -> bool:
        return self._members.hook_of(camera) == self._hook

    def _go(self, client: Client) -> None:
        self.leases.give_up(0)
        for token in self._read:
            self._tokens.pass_on(client, token)
        if self._is_stateful() and self._is_open:
            self._tokens.adopt(client, self.seat_name)
            # Not at once: a result on its way acknowledges its token there.
            self._tokens.keep_own(client, _LEFT)
