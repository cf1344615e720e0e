"""Slot: where a reader puts its frames, and who takes them there."""

from __future__ import annotations

from typing import Protocol, TypeVar

T_contra = TypeVar("T_contra", contravariant=True)


class Slot(Protocol[T_contra]):
    """A Latest, or what keeps every frame. `put` never waits."""

    def put(self, item: T_contra, /) -> None: ...

    def close(self) -> None:
        """Take no more."""


class Taker(Protocol):
    """Who takes from the slot, as a LatestReader does."""

    def wait_until_taken(self, timeout: float | None = None) -> bool:
        """Return False when something still waits after `timeout` seconds."""
        ...
