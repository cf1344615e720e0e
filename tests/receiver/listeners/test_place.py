from __future__ import annotations

from dataclasses import dataclass

import pytest

from receiver.config import ReceiverConfig
from receiver.listeners import place
from receiver.listeners.redis_place import RedisPlace
from shared.errors import ConfigError


@dataclass(frozen=True)
class Door:
    """A kind of place that everybody on the network gets at."""

    shown: str
    lacks: str = ""


def open_door(text: str) -> Door:
    return Door(text, lacks="" if "key" in text else "a key")


def test_the_scheme_says_what_kind_of_place_it_is() -> None:
    [one, other] = place.parse_places(["redis://h?topic=a", "REDISS://h?topic=b"])

    assert isinstance(one, RedisPlace)
    assert isinstance(other, RedisPlace)
    assert (one.topic, other.topic) == ("a", "b")


@pytest.mark.parametrize("text", ["canary", "://canary", "ftp://canary", "a" * 99 + "://canary"])
def test_an_unknown_scheme_is_told_what_there_is(text: str) -> None:
    with pytest.raises(ValueError, match="expected redis://HOST:PORT/DATABASE or udp://") as caught:
        place.parse_places([text])

    assert "canary" not in str(caught.value)


def test_a_place_that_strangers_get_at_needs_what_it_lacks_or_a_word(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(place._KINDS, "door", open_door)

    with pytest.raises(ConfigError) as caught:
        ReceiverConfig.load(["--listen=door://street"])
    guarded = ReceiverConfig.load(["--listen=door://street?key"])
    insecure = ReceiverConfig.load(["--listen=door://street", "--insecure"])

    assert caught.value.problems == (
        "RECEIVER_LISTEN: expected a key for whoever comes from other machines, got door://street"
        " and none; --insecure if all may bring frames",
    )
    assert (guarded.listen, insecure.listen) == (["door://street?key"], ["door://street"])
