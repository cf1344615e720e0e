"""HookChild: a process that runs one version of a hook."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import suppress

from receiver.child.child import Child
from receiver.child.pipe import PipeClosed
from receiver.hooking.hook_worker import HookSettings
from receiver.hooking.schedule import Task
from receiver.region import SharedFrame


class HookChild(Child):
    """Set the hook up, then answer one frame after another. For one thread."""

    def __init__(
        self,
        settings: HookSettings,
        *,
        label: str,
        reason: str = "",
        heard: Callable[[str], None],
    ) -> None:
        """Start it; raise OSError. `heard` gets the lines that it prints."""
        super().__init__(
            "receiver.hooking.hook_process",
            {
                "target": settings.spec.target,
                "hook_path": settings.hook_path,
                "quality": settings.quality,
            },
            label=label,
            threads=settings.threads,
            heard=heard,
        )
        self._timeout = settings.timeout
        #: Why it comes in the place of a former one; "" where none serves or one has died.
        self.reason = reason
        #: The files whose change makes another hook; None until it is set up.
        self.files: list[str] | None = None
        #: Monotonic: when its setup, its answer or its end is overdue.
        self.due = time.monotonic() + settings.setup_timeout

    def set_up(self, files: list[str]) -> None:
        """Note that it is, and that nothing is due."""
        self.files = files
        self.rest()

    def ask(self, task: Task) -> None:
        """Give it a frame, which it must not have before it has answered the last one."""
        self.due = time.monotonic() + self._timeout
        frame = task.frame
        with suppress(PipeClosed):  # then its end is what we hear next
            region = frame.region if isinstance(frame, SharedFrame) else None
            header = frame.facts() | ({"is_new": True} if task.is_new else {})
            self.pipe.send(header, frame.data, region=region)

    def rest(self) -> None:
        self.due = math.inf

    def retire(self, grace: float) -> None:
        """Tell it to end: it answers the frame at hand before. Overdue after `grace` seconds."""
        self.pipe.end()
        self.due = time.monotonic() + grace
