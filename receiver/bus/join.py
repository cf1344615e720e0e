"""Join: the way onto a bus, for those who may have none: redis-py is loaded only where it is used,
for that takes as long as to load Flask.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from receiver.hub import Hub

if TYPE_CHECKING:
    from receiver.bus.bus import Bus


def join(url: str, hub: Hub) -> Bus | None:
    """Return the bus at `url`, not started yet; None for "local"."""
    if url == "local":
        return None
    from receiver.bus.bus import Bus

    return Bus(url, hub)


def check_url(url: str) -> str:
    """Return it, or raise ValueError for what is no URL of a Redis."""
    from receiver.bus import link

    return link.check_url(url)
