"""Orphans: a child process ends with the receiver, even when that was killed with -9."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time

#: <linux/prctl.h>
_PR_SET_PDEATHSIG = 1
_INTERVAL = 0.5


def die_with_parent(parent: int) -> None:
    """End this process when `parent` (its parent's id) ends, whatever this process is doing.

    On Linux the kernel sees to it. It watches the *thread* that started this process: that thread
    must live as long as the process shall. Elsewhere a thread looks twice a second, which a loop
    in C that holds the interpreter's lock can keep from looking.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
            watch(parent)
    else:
        watch(parent)
    if os.getppid() != parent:  # it ended before we could ask
        os._exit(1)


def watch(parent: int) -> None:
    """Start a thread that ends this process when `parent` no longer is its parent."""

    def look() -> None:
        while os.getppid() == parent:
            time.sleep(_INTERVAL)
        os._exit(1)

    threading.Thread(target=look, name="orphan-watch", daemon=True).start()
