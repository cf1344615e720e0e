"""Child: a process of the receiver's own, started, spoken to, killed and reaped by one thread."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from receiver.child.output import Output
from receiver.child.pipe import Pipe

_ROOT = Path(__file__).parent.parent.parent
#: Settings of the receiver's that may hold secrets, which are no business of a hook's.
_SECRETS = {
    *("RECEIVER_TOKEN", "RECEIVER_WEBHOOK_TOKEN"),
    *("RECEIVER_BUS", "RECEIVER_LISTEN", "RECEIVER_RESULT_WEBHOOK"),
}
#: A message that stops half-way for so long comes from a process that was stopped.
_STALL = 5.0


class Child:
    """Run `python -m module` with a pipe to it, its output line by line in our log.

    It has our environment, except for the settings that hold our secrets.

    All methods are for the thread that made it, which must live as long as the child: on Linux the
    child is killed when that thread ends.
    """

    def __init__(
        self,
        module: str,
        settings: Mapping[str, Any],
        *,
        label: str,
        threads: int | None = None,
        level: int = logging.INFO,
        heard: Callable[[str], None] | None = None,
    ) -> None:
        """Start it; raise OSError when the system is out of room.

        `threads` bounds OpenCV's, its output is logged at `level`, and told to `heard`.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            argument = json.dumps({**settings, "fd": theirs.fileno(), "parent": os.getpid()})
            environment = {k: v for k, v in os.environ.items() if k not in _SECRETS}
            # The working directory comes first only for hooks, never for the receiver's modules.
            environment["PYTHONPATH"] = os.pathsep.join(
                filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")])
            )
            if threads is not None:
                environment.setdefault("OPENCV_FOR_THREADS_NUM", str(threads))
            try:
                self.process = subprocess.Popen(
                    [sys.executable, "-P", "-m", module, argument],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    pass_fds=[theirs.fileno()],
                    env=environment,
                    # A group of its own: it is killed with whatever it started.
                    start_new_session=True,
                )
            except OSError:
                ours.close()
                raise
        self.pipe = Pipe(ours, stall=_STALL)
        assert self.process.stdout is not None
        self.output = Output(self.process.stdout.fileno(), label=label, level=level, heard=heard)

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def gone(self) -> bool:
        return self.process.poll() is not None

    def show_where(self) -> None:
        """Have it print the line where it is, for a hook that hangs."""
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGUSR1)

    def kill(self) -> None:
        """Kill it and what it started, at once."""
        # While one of a group lives, or is not reaped, the group's number is nobody else's.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def bury(self) -> str:
        """Reap it, log its last lines, and return how it ended: `signal 11, segmentation fault`.

        Kills it first when it does not end by itself within a second, and what it left behind.
        """
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(1.0)
        self.kill()
        returncode = self.process.wait()
        self.output.read()
        self.output.flush()
        self.pipe.close()
        if self.process.stdout is not None:
            self.process.stdout.close()
        return epitaph(returncode)


def epitaph(returncode: int) -> str:
    """Return how a process with this `Popen.returncode` ended, in words."""
    if returncode >= 0:
        return f"exit code {returncode}"
    name = signal.strsignal(-returncode) or "unknown"
    return f"signal {-returncode}, {name.lower()}"
