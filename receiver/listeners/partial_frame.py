"""PartialFrame: the pieces of one frame that came so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Literal

from shared.datagram import Cut, Head
from shared.datagram_parity import restore

#: spare: no longer needed, or not yet and then never · duplicate: came before · conflict: came
#: before, and was another.
Place = Literal["used", "spare", "duplicate", "conflict"]


class PartialFrame:
    """Holds nothing but what came, whatever a head claims. For one thread."""

    __slots__ = ("_came", "_cut", "_parities", "_parts", "begun", "heard", "held", "repaired")

    def __init__(self, cut: Cut, now: float) -> None:
        self._cut = cut
        self._parts: dict[int, bytes] = {}
        self._parities: dict[int, bytes] = {}
        #: How many pieces of a group are there, where there are groups.
        self._came: Counter[int] = Counter()
        #: When its first and its newest piece came, monotonic seconds.
        self.begun = self.heard = now
        #: Bytes, and pieces made from parity.
        self.held = self.repaired = 0

    @property
    def is_whole(self) -> bool:
        return len(self._parts) == self._cut.parts

    def put(self, head: Head, payload: bytes, now: float) -> Place:
        """Take a piece of the size that `head` says."""
        if head.cut is not self._cut and head.cut != self._cut:
            return "conflict"
        self.heard = now
        pieces = self._parities if head.is_parity else self._parts
        known = pieces.get(head.part)
        if known is not None:
            return "duplicate" if known == payload else "conflict"
        pieces[head.part] = payload
        self.held += len(payload)
        if not self._cut.parity:
            return "used"
        group = head.part if head.is_parity else head.part % self._cut.groups
        if not head.is_parity:
            self._came[group] += 1
        elif self._came[group] == len(self._cut.members(group)):
            return "spare"
        self._repair(group)
        return "used"

    def join(self) -> bytes:
        """Return the whole frame, when it is whole."""
        return b"".join(map(self._parts.__getitem__, range(self._cut.parts)))

    def _repair(self, group: int) -> None:
        """Make the one missing piece of the group, where all others and the parity are there."""
        members = self._cut.members(group)
        if group not in self._parities or self._came[group] != len(members) - 1:
            return
        missing = next(part for part in members if part not in self._parts)
        self._parts[missing] = restore(self._pieces(group), self._cut.size(missing))
        self._came[group] += 1
        self.held += self._cut.size(missing)
        self.repaired += 1

    def _pieces(self, group: int) -> Iterator[bytes]:
        yield self._parities[group]
        yield from (self._parts[part] for part in self._cut.members(group) if part in self._parts)
