"""Opening a spool, with a sentence for people where that fails."""

from __future__ import annotations

from pathlib import Path

from sender.spool.cursor import Locked
from sender.spool.pen import Sync
from sender.spool.spool import Spool
from shared.errors import ConfigError


def open_spool(folder: Path, camera: str, *, limits: tuple[int, float | None], sync: Sync) -> Spool:
    """Return the camera's spool in `folder`, with its limits in bytes and seconds; raise
    ConfigError.
    """
    place = folder / camera
    max_bytes, max_age = limits
    try:
        return Spool(place, camera, max_bytes=max_bytes, max_age=max_age, sync=sync)
    except Locked:
        raise ConfigError(
            f"spool: expected a folder for this sender alone, got {place}, which another one uses"
        ) from None
    except OSError as exc:
        raise ConfigError(
            f"spool: expected a folder that can be written to, got {place} ({exc.strerror})"
        ) from None
