"""A spool against a plain list, through any order of what may happen to it."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sender.spool.segment import find
from sender.spool.stored import Stored
from tests.sender.spool.doubles import frame, kill, open_spool

_LIMIT = 16_000


class Machine(RuleBasedStateMachine):
    """`waiting` is what has to come out, in this order; the oldest may be given up, and counted."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="spool-"))
        self.spool = open_spool(self.folder, max_bytes=_LIMIT)
        self.waiting: list[int] = []
        self.taken: Stored | None = None
        self.next_seq = 0
        #: Appended and settled in this run, and what it began with.
        self.appended = self.settled = self.recovered = 0

    @rule(count=st.integers(1, 8), size=st.integers(50, 900))
    def append(self, count: int, size: int) -> None:
        for _ in range(count):
            self.spool.append(frame(self.next_seq, size=size))
            self.waiting.append(self.next_seq)
            self.next_seq += 1
            self.appended += 1

    @precondition(lambda self: self.taken is None)
    @rule()
    def take(self) -> None:
        self.taken = self.spool.next(0)
        if self.taken is None:
            assert not self.spool.stock().waiting
            return
        self.give_up_to(self.taken.frame.seq)
        assert self.waiting[0] == self.taken.frame.seq

    @precondition(lambda self: self.taken is not None)
    @rule()
    def settle(self) -> None:
        assert self.taken is not None
        self.spool.settle(self.taken)
        self.waiting.remove(self.taken.frame.seq)
        self.settled += 1
        self.taken = None

    @precondition(lambda self: self.taken is not None)
    @rule()
    def put_back(self) -> None:
        assert self.taken is not None
        self.spool.put_back(self.taken)
        self.taken = None

    @rule(how=st.sampled_from(["kill", "torn", "close"]))
    def restart(self, how: str) -> None:
        (self.spool.close if how == "close" else lambda: kill(self.spool))()
        before = self.spool.stock()
        files = find(self.folder)
        if how == "torn" and files:
            os.truncate(files[-1][1], max(0, files[-1][1].stat().st_size - 7))
        self.spool = open_spool(self.folder, max_bytes=_LIMIT)
        stock = self.spool.stock()
        # A frame that was given up while it was on its way is nowhere now.
        self.waiting = self.waiting[len(self.waiting) - before.waiting :]
        late = self.taken is not None and bool(self.waiting) and before.waiting > stock.recovered
        self.waiting = self.waiting[late:]
        if stock.damaged:
            self.waiting = self.waiting[:-1]
        assert stock.waiting == len(self.waiting)
        self.taken = None
        self.appended = self.settled = 0
        self.recovered = stock.recovered - stock.damaged

    def give_up_to(self, seq: int) -> None:
        self.waiting = [each for each in self.waiting if each >= seq]

    @invariant()
    def the_books_close(self) -> None:
        stock = self.spool.stock()
        assert self.appended + self.recovered == self.settled + stock.expired + stock.waiting
        assert sum(path.stat().st_size for _, path in find(self.folder)) <= _LIMIT
        assert stock.bytes == sum(path.stat().st_size for _, path in find(self.folder))

    def teardown(self) -> None:
        kill(self.spool)
        shutil.rmtree(self.folder)


TestSpool = Machine.TestCase
TestSpool.settings = settings(max_examples=20, stateful_step_count=25, deadline=None)
