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

    order.Order.place = lambda self, frame: "accepted"  # type: ignore[method-assign]


PATCHES: dict[str, Callable[[], None]] = {"no-order": no_order}


def main() -> None:
    patch, module, *arguments = sys.argv[1:]
    PATCHES[patch]()
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
