"""Verdict: the hook's result for a caller who takes nothing less for an answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from receiver.fate import Fate
from receiver.result import Result
from shared.errors import FrameError
from shared.seats import Seats


@contextmanager
def seated(seats: Seats) -> Iterator[None]:
    """Hold a seat, for a caller that will wait; raise FrameError (503) where none is free."""
    leave = seats.take()
    if leave is None:
        raise FrameError(
            "receiver: as many callers as can are waiting for results; try again later",
            status=503,
            reason="seats",
        )
    try:
        yield
    finally:
        leave()


def result_of(fate: Fate) -> Result:
    """Return the result that the caller waited for; raise FrameError where there is none.

    500: the hook failed. 504: the wait ended first. 409: the frame was a repeated one.
    """
    result = fate.result
    if result is not None and result.state == "processed":
        return result
    if result is not None:
        raise FrameError(str(result.error), status=500, reason="hook")
    if fate.state == "accepted":
        raise FrameError(
            f"timeout: the hook gave no result within {fate.waited:g} s", status=504, reason="wait"
        )
    raise FrameError(
        f"frame: {fate.frame.seq} of epoch {fate.frame.epoch!r} came before, "
        "and its result is not kept",
        status=409,
        reason="duplicate",
    )
