"""Start a program of ours without one of its defences: `python -m tests.survive.disarmed PATCH
MODULE ARGUMENTS`. A patch is a function here; MODULE is what `python -m` would run.

What starts processes of its own by `python -m` starts them whole: patch what runs in this one.
"""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable


def no_order() -> None:
    """Let the receiver take a frame for new however often it came."""
    from receiver import order

    order.Order.knows = lambda self, frame: False  # type: ignore[method-assign]


def no_envelope_checks() -> None:
    """Let a malformed header of a frame raise what no route expects."""
    from shared import wire
    from shared.errors import FrameError

    checked = wire.from_headers

    def from_headers(headers: wire.Headers) -> wire.Envelope:
        try:
            return checked(headers)
        except FrameError as exc:
            raise ValueError(str(exc)) from None

    wire.from_headers = from_headers


PATCHES: dict[str, Callable[[], None]] = {
    "no-order": no_order,
    "no-envelope-checks": no_envelope_checks,
}


def main() -> None:
    patch, module, *arguments = sys.argv[1:]
    PATCHES[patch]()
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
