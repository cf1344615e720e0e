from __future__ import annotations

import pytest

from sender.carriers.carriers import is_http, make_client, read_endpoint
from sender.carriers.contract import CarrierOptions, Connection
from sender.carriers.redis_endpoint import RedisEndpoint
from shared.errors import ConfigError
from shared.http_client import HttpClient


def test_the_scheme_says_who_carries_the_frames() -> None:
    http = CarrierOptions(to="http://127.0.0.1:1", camera="cam1")
    redis = CarrierOptions(to="REDIS://127.0.0.1:1", camera="cam1")

    assert isinstance(make_client(http, read_endpoint(http), Connection()), HttpClient)
    assert isinstance(read_endpoint(redis), RedisEndpoint)


@pytest.mark.parametrize("to", ["http://h", "https://h", "h:8000", "gopher://h", ""])
def test_what_no_other_carrier_knows_is_left_to_http(to: str) -> None:
    assert is_http(to)


def test_all_that_another_carrier_cannot_do_is_said_at_once() -> None:
    options = CarrierOptions(
        to="redis://h:x", camera="cam1", transport="stream", delivery="every", token="canary"
    )
    with pytest.raises(ConfigError) as caught:
        read_endpoint(options)

    names = [problem.partition(":")[0] for problem in caught.value.problems]
    assert names == ["transport", "delivery", "token", "to"]
    assert "canary" not in f"{caught.value.problems} {options!r}"
