"""Ways: what takes frames at each place, and what gives results back there, by the kind of place.

What a kind needs is loaded here, and only for those who use it.
"""

from __future__ import annotations

from functools import partial

from receiver.access.seals import Seals
from receiver.listeners.contract import Way
from receiver.listeners.place import Place, parse_places
from receiver.listeners.redis_place import RedisPlace
from receiver.listeners.udp_place import UdpPlace
from receiver.listeners.zmq_place import ZmqPlace
from shared.access.tokens import Tokens


def make_ways(urls: list[str], *, max_bytes: int, tokens: Tokens | None = None) -> list[Way]:
    """Return a Way for each URL. A picture may have `max_bytes`.

    `tokens`: one of them is needed where it can be shown; None where none is. Raise ValueError for
    a URL that is wrong.
    """
    return [_make_way(place, max_bytes, tokens) for place in parse_places(urls)]


def _make_way(place: Place, max_bytes: int, tokens: Tokens | None) -> Way:
    if isinstance(place, UdpPlace):
        from receiver.listeners.udp_listener import UdpListener

        seals = None if tokens is None else Seals(tokens)
        return Way(partial(UdpListener, place, max_bytes=max_bytes, seals=seals))
    if isinstance(place, ZmqPlace):
        from receiver.listeners.zmq_hub import ZmqHub  # with pyzmq
        from receiver.listeners.zmq_subscriber import ZmqSubscriber

        kind = ZmqHub if place.has_replies else ZmqSubscriber
        return Way(partial(kind, place, max_bytes=max_bytes))
    assert isinstance(place, RedisPlace)
    from receiver.listeners.redis_answers import RedisAnswers
    from receiver.listeners.redis_listener import RedisListener  # with redis-py, slow to load

    answers = RedisAnswers(place)
    return Way(partial(RedisListener, place, answers=answers, max_bytes=max_bytes), answers)
