"""Disk: what to do when it refuses: say it once, make room, and try again."""

from __future__ import annotations

import errno
import logging
import time
from collections.abc import Callable

from receiver.recording.quota import Quota
from shared.trouble import Trouble

logger = logging.getLogger(__name__)

#: Seconds until a camera that could not be written is tried again.
_PAUSE = 1.0
_FULL = {errno.ENOSPC, errno.EDQUOT}


class Disk:
    """Knows which cameras cannot be written at the moment. For the recorder's thread."""

    def __init__(self, quota: Quota, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._quota = quota
        self._clock = clock
        self._again: dict[str, float] = {}
        self._room_at = 0.0
        self._trouble = Trouble("recording", over="frames are written again", logger=logger)

    @property
    def problem(self) -> str | None:
        """What is wrong now, in one sentence. Any thread."""
        return f"recording: {self._trouble.last}" if self._again else None

    def is_paused(self, camera: str) -> bool:
        """Tell whether it is too early to try this camera again."""
        return self._clock() < self._again.get(camera, 0.0)

    def failed(self, camera: str, error: OSError) -> None:
        """Note that a write was refused, and make room where that is what lacks."""
        self._again[camera] = self._clock() + _PAUSE
        why = error.strerror or str(error)
        self._trouble.happened(
            why, f"{camera} cannot be written ({why}); its frames are lost until that works again"
        )
        if error.errno in _FULL and self._clock() >= self._room_at:
            # Not with every failure: another program may fill the disk as fast as we make room.
            self._room_at = self._clock() + _PAUSE
            self._quota.make_room()

    def worked(self, camera: str) -> None:
        """Note that a write worked."""
        self._again.pop(camera, None)
        if not self._again:
            self._trouble.worked()

    def forget(self, camera: str) -> None:
        self._again.pop(camera, None)
