"""Place: where one listener listens and how, as its URL says; what its scheme can be."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Protocol

from receiver.listeners.redis_place import RedisPlace
from receiver.listeners.udp_place import UdpPlace
from receiver.listeners.zmq_place import ZmqPlace
from shared import redis_url
from shared.zmq_url import REQUEST, SUBSCRIBE

_SCHEME = re.compile(r"([a-z][a-z0-9+]{0,20})://", re.IGNORECASE)


class Place(Protocol):
    """One `--listen`. Nothing that is slow to load belongs to it."""

    @property
    def shown(self) -> str:
        """What people call it, without secrets: no two listeners have the same."""
        ...

    @property
    def lacks(self) -> str:
        """What is missing there, so that not every stranger may bring frames; "" for nothing.

        Nothing is missing where only programs on this machine get at it.
        """
        ...


#: Scheme -> what reads such a URL, and raises ValueError that says what was expected.
_KINDS: dict[str, Callable[[str], Place]] = {
    **dict.fromkeys(redis_url.SCHEMES, RedisPlace.parse),
    "udp": UdpPlace.parse,
    REQUEST: ZmqPlace.parse,
    SUBSCRIBE: ZmqPlace.parse,
}
_FORMS = (
    *("redis://HOST:PORT/DATABASE", "udp://HOST:PORT"),
    *("zmq://HOST:PORT", "zmq+sub://HOST:PORT"),
)


def parse_places(texts: list[str]) -> list[Place]:
    """Return a place for each URL; raise ValueError for a wrong one, and where two are the same.

    What it says holds no password.
    """
    places = [_parse(text) for text in texts]
    names = [place.shown for place in places]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"expected each once, got {name} again")
    return places


def check_guarded(texts: list[str], *, has_tokens: bool) -> None:
    """Raise ValueError where strangers from other machines could bring frames.

    `has_tokens`: whoever comes needs a token, where it can be shown.
    """
    for place in parse_places(texts):
        if place.lacks and not (has_tokens and isinstance(place, UdpPlace)):
            raise ValueError(
                f"RECEIVER_LISTEN: expected {place.lacks} for whoever comes from other machines,"
                f" got {place.shown} and none; --insecure if all may bring frames"
            )


def _parse(text: str) -> Place:
    scheme = _SCHEME.match(text)
    kind = _KINDS.get(scheme[1].lower()) if scheme else None
    if kind is None:
        raise ValueError(f"expected {' or '.join(_FORMS)}")  # settings say what came, redacted
    return kind(text)
