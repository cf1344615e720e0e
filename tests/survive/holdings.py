"""Holdings: what a program and its children hold, so that it shows what a fault left behind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import psutil


@dataclass(frozen=True, slots=True)
class Holdings:
    """At one moment."""

    threads: int
    files: int
    children: int

    @classmethod
    def of(cls, pid: int) -> Self:
        family = family_of(pid)
        return cls(
            threads=sum(process.num_threads() for process in family),
            files=sum(process.num_fds() for process in family),
            children=len(family) - 1,
        )

    def is_about(self, before: Holdings) -> bool:
        """Say whether nothing was left behind, but for what servers keep for a while."""
        return (
            abs(self.files - before.files) <= 2
            and self.children == before.children
            and self.threads <= before.threads + 2
        )


def family_of(pid: int) -> list[psutil.Process]:
    """Return the process and its children."""
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]
