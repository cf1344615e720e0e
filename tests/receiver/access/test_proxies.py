"""Whose word about a client's address is taken."""

from __future__ import annotations

from typing import Any

import pytest

from receiver.access.proxies import Proxies

PROXY, OTHER = "10.0.0.1", "192.0.2.9"


def client(peer: str, said: str | None) -> str:
    """Return the address that stands behind the proxies."""
    seen: list[str] = []

    def app(environ: dict[str, Any], start: Any) -> list[bytes]:
        seen.append(environ["REMOTE_ADDR"])
        return []

    environ = {"REMOTE_ADDR": peer}
    if said is not None:
        environ["HTTP_X_FORWARDED_FOR"] = said
    Proxies(app, ["10.0.0.1/24", "fd00::/8"])(environ, lambda *_: None)  # type: ignore[arg-type]
    return seen[0]


@pytest.mark.parametrize(
    ("peer", "said", "expected"),
    [
        pytest.param(PROXY, "203.0.113.5", "203.0.113.5", id="it says"),
        pytest.param(PROXY, None, PROXY, id="it says nothing"),
        pytest.param(OTHER, "203.0.113.5", OTHER, id="a stranger says"),
        pytest.param(OTHER, f"203.0.113.5, {PROXY}", OTHER, id="a stranger says it is one"),
        pytest.param(PROXY, "127.0.0.1, 203.0.113.5", "203.0.113.5", id="the client says more"),
        pytest.param(PROXY, "203.0.113.5,10.0.0.2 , fd00::3", "203.0.113.5", id="three proxies"),
        pytest.param(PROXY, f"1.2.3.4, {OTHER}, 10.0.0.2", OTHER, id="a stranger between"),
        pytest.param(PROXY, "10.0.0.8, 10.0.0.2", "10.0.0.8", id="one of the proxies itself"),
        pytest.param(PROXY, "203.0.113.5, unknown", PROXY, id="no address"),
        pytest.param(PROXY, "", PROXY, id="empty"),
        pytest.param(PROXY, ", ,", PROXY, id="commas"),
        pytest.param(
            PROXY, "203.0.113.5, " + "10.0.0.2, " * 99 + "10.0.0.3", "10.0.0.2", id="long"
        ),
        pytest.param(
            *(PROXY, f"203.0.113.5, 10.0.0.4{', 10.0.0.2' * 15}", "10.0.0.4"),
            id="one more than is read",
        ),
        pytest.param("::ffff:10.0.0.1", "203.0.113.5", "203.0.113.5", id="as IPv6"),
        pytest.param("fd00::1", "2001:db8::1", "2001:db8::1", id="over IPv6"),
        pytest.param("", "203.0.113.5", "", id="no peer"),
    ],
)
def test_an_address_is_what_a_proxy_of_ours_says_last(peer: str, said: str, expected: str) -> None:
    assert client(peer, said) == expected


def test_what_is_no_network_is_refused() -> None:
    with pytest.raises(ValueError, match="does not appear"):
        Proxies(lambda *_: [], ["proxy.example"])


def test_a_request_without_an_address_goes_on_without_one() -> None:
    came: list[Any] = []
    environ: dict[str, Any] = {"HTTP_X_FORWARDED_FOR": "203.0.113.5"}
    start: Any = lambda *_: None  # noqa: E731

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        came.extend((environ["REMOTE_ADDR"], start_response))
        return [b"reply"]

    assert Proxies(app, ["10.0.0.0/24"])(environ, start) == [b"reply"]
    assert came == ["", start]


def test_of_the_addresses_that_came_so_many_are_remembered() -> None:
    proxies = Proxies(lambda *_: [], ["10.0.0.0/8"])
    for number in range(1100):
        assert proxies.client(f"10.0.{number // 256}.{number % 256}", "192.0.2.1") == "192.0.2.1"

    assert proxies._trusts.cache_info().currsize == 1024
