"""Census: what each process of a run holds, looked at again and again.

Memory is what is the process's own: pages of files, such as programs and libraries, come when they
are first used and go when the system wants their room (proc(5), smaps).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.survive.slope import Point, Slope, estimate, low_water

_MB = 1e6
#: In kB; memory that several share counts in parts.
_OWN = ("Anonymous:", "Pss_Shmem:")


@dataclass(slots=True)
class Life:
    """One process: its points since it was first seen. Times are monotonic seconds."""

    pid: int
    born: float
    memory: list[Point] = field(default_factory=list)
    threads: list[Point] = field(default_factory=list)
    files: list[Point] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Growth:
    """Of one role: its own memory in MB, threads and open files, each per hour."""

    memory: Slope
    threads: Slope
    files: Slope
    #: Memory at the end of the last life, MB.
    held: float
    lives: int
    #: That were looked at, without warm-up.
    seconds: float


class Census:
    """Keeps the lives of each role, such as "sender": a killed process leaves it to the next."""

    def __init__(self) -> None:
        self._lives: dict[str, list[Life]] = {}

    def look(self, roles: Mapping[str, int]) -> None:
        """Note what the processes hold now; `roles` gives a process for each. One may be gone."""
        for role, pid in roles.items():
            lives = self._lives.setdefault(role, [])
            try:
                process = psutil.Process(pid)
                with process.oneshot():
                    memory = _own_memory(pid) / _MB
                    threads, files = process.num_threads(), process.num_fds()
            except (psutil.Error, OSError):
                continue
            now = time.monotonic()
            if not lives or lives[-1].pid != pid:
                lives.append(Life(pid, now))
            life = lives[-1]
            life.memory.append((now, memory))
            life.threads.append((now, float(threads)))
            life.files.append((now, float(files)))

    def growth(self, *, warm_up: float, window: float) -> dict[str, Growth]:
        """Return each role's growth, without the first `warm_up` seconds of each life.

        `window`: of so many seconds the lowest point counts. A role none of whose lives was long
        enough is left out.
        """
        found = {}
        for role, lives in self._lives.items():
            old = [life for life in lives if _steady(life.memory, life, warm_up, window)]
            if not old:
                continue
            kept = [life.memory[-1][0] - life.born - warm_up for life in old]
            found[role] = Growth(
                memory=estimate(_steady(life.memory, life, warm_up, window) for life in old),
                threads=estimate(_steady(life.threads, life, warm_up, window) for life in old),
                files=estimate(_steady(life.files, life, warm_up, window) for life in old),
                held=lives[-1].memory[-1][1],
                lives=len(lives),
                seconds=sum(kept),
            )
        return found

    def memory(self, window: float) -> dict[str, list[Point]]:
        """Return the low-water marks of each role's longest life, timed from its start."""
        found = {}
        for role, lives in self._lives.items():
            life = max(lives, key=lambda one: one.memory[-1][0] - one.born)
            marks = low_water(life.memory, window)
            found[role] = [(round(at - life.born, 1), round(value, 2)) for at, value in marks]
        return found


def _own_memory(pid: int) -> int:
    """Return the bytes of memory that `pid` holds by itself; raise OSError where it is gone.

    Linux only. What /proc/PID/status says of it is inexact (proc(5)).
    """
    lines = Path("/proc", str(pid), "smaps_rollup").read_text(encoding="ascii").splitlines()
    return sum(int(line.split()[1]) << 10 for line in lines if line.startswith(_OWN))


#: Fewer points of a life than that say nothing.
_FEWEST = 6


def _steady(points: list[Point], life: Life, warm_up: float, window: float) -> list[Point]:
    """Return the low-water marks after the warm-up; none where those are too few."""
    warm = [point for point in points if point[0] - life.born >= warm_up]
    marks = low_water(warm, window) if warm else []
    return marks if len(marks) >= _FEWEST else []
