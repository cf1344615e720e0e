"""Stock: what is and was in a spool."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stock:
    """The counts of one moment.

    recovered: left by an earlier run · expired: given up for newer ones, or for their age ·
    damaged: could not be read again · waiting: not settled.
    """

    recovered: int
    expired: int
    damaged: int
    waiting: int
    #: On the disk, with what is settled in the same files.
    bytes: int
    #: Age of the oldest that waits; 0 without any.
    oldest_seconds: float
