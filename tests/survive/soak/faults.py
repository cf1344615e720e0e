"""Faults: what befalls the programs of a soak, each with what ends it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import psutil

from tests.survive.soak.plan import CUT
from tests.survive.soak.programs import READ_TIMEOUT, Programs

#: Cameras that stall; the others go on meanwhile.
_STALLED = ("cam1", "cam2")


@dataclass(frozen=True, slots=True)
class Fault:
    """`begin` it, wait, `end` it."""

    begin: Callable[[], None]
    end: Callable[[], None] = lambda: None
    #: Seconds that it must last to do what it does.
    least: float = 0.0


def faults(line: Programs) -> Mapping[str, Fault]:
    """Return all there are, by name; for the thread that has `line`."""

    def signal_receiver(number: int) -> None:
        top = psutil.Process(line.receiver.pid)
        for process in (top, *top.children(recursive=True)):
            process.send_signal(number)

    def cut() -> None:
        line.proxy.reset()
        for camera in line.cameras.values():
            camera.drop_clients()

    def stall() -> None:
        for name in _STALLED:
            line.cameras[name].stall()

    def resume() -> None:
        for name in _STALLED:
            line.cameras[name].resume()

    camera = line.cameras["cam3"]
    return {
        "receiver stopped": Fault(
            lambda: signal_receiver(signal.SIGSTOP),
            lambda: signal_receiver(signal.SIGCONT),
            least=2,
        ),
        "receiver killed": Fault(
            lambda: line.receiver.signal(signal.SIGKILL), line.start_receiver, least=1
        ),
        "network gone": Fault(line.proxy.black_hole, line.proxy.clear, least=2),
        CUT: Fault(cut),
        "camera stalled": Fault(stall, resume, least=READ_TIMEOUT + 1),
        "camera gone": Fault(camera.stop, lambda: _discard(camera.start())),
        "hook segfault": Fault(lambda: os.kill(line.roles()["hook process"], signal.SIGSEGV)),
    }


def _discard(value: object) -> None:
    """Return nothing, as `end` does."""
