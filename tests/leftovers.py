"""Leftovers: what a failure leaves behind until the garbage collector comes."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from contextlib import suppress


class _Mark:
    """Lives as long as the frame of the stack whose variable it is."""


def leaves_nothing(call: Callable[[], object]) -> bool:
    """Return whether the stack below `call`, which fails, is free when the failure is over.

    An error that is a variable of a frame in its own traceback keeps all of it, pictures too, for
    as long as the garbage collector sees no reason to come. It is off meanwhile.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        return _fail(call)() is None
    finally:
        if was_enabled:
            gc.enable()


def _fail(call: Callable[[], object]) -> weakref.ref[_Mark]:
    mark = _Mark()
    failed = True
    with suppress(Exception):
        call()
        failed = False
    assert failed, "expected a failure"
    return weakref.ref(mark)
