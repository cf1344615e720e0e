"""Books: what became of a camera's frames, in numbers that add up."""

from __future__ import annotations

from dataclasses import astuple, dataclass, replace


@dataclass(frozen=True, slots=True)
class Books:
    """received = processed + superseded + failed + waiting, to the frame, at every moment.

    Duplicates and refused bodies were never received; they have counters of their own.
    """

    received: int
    processed: int
    superseded: int
    failed: int
    waiting: int
    duplicate: int

    def __add__(self, other: Books) -> Books:
        return Books(*map(sum, zip(astuple(self), astuple(other), strict=True)))


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What other receivers on the bus said of a camera. `heard` is monotonic."""

    books: Books
    fps: float
    viewers: int
    #: Seconds since a frame came there, at `heard`; and what that frame was.
    idle: float
    epoch: str
    seq: int
    width: int
    height: int
    heard: float
    #: Whether its newest frames were all the same.
    still: bool = False

    def __add__(self, other: Elsewhere) -> Elsewhere:
        """Return what both say: of the frame, what the one says that had it later."""
        newer = min(self, other, key=lambda each: each.idle)
        return replace(
            newer,
            books=self.books + other.books,
            fps=self.fps + other.fps,
            viewers=self.viewers + other.viewers,
        )
