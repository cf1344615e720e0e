from __future__ import annotations

from collections.abc import Collection

import pytest

from receiver.feeds.allow_list import AllowList

SPECIAL = [
    pytest.param("169.254.169.254", id="cloud metadata"),
    pytest.param("169.254.0.1", id="link-local"),
    pytest.param("fe80::1", id="link-local IPv6"),
    pytest.param("fe80::1%eth0", id="link-local IPv6 with its interface"),
    pytest.param("::ffff:169.254.169.254", id="IPv4 in IPv6"),
    pytest.param("fd00:ec2::254", id="cloud metadata over IPv6"),
    pytest.param("100.100.100.200", id="another cloud's metadata"),
    pytest.param("224.0.0.1", id="multicast"),
    pytest.param("ff02::1", id="multicast IPv6"),
    pytest.param("0.0.0.0", id="unspecified"),
    pytest.param("::", id="unspecified IPv6"),
]


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "8.8.8.8", "::1", "2001:db8::1"])
def test_without_entries_every_usual_address_will_do(address: str) -> None:
    assert AllowList().allows(address)


@pytest.mark.parametrize("address", SPECIAL)
def test_some_addresses_must_be_named(address: str) -> None:
    bare = address.partition("%")[0].removeprefix("::ffff:")

    assert not AllowList().allows(address)
    assert AllowList([bare]).allows(address)


@pytest.mark.parametrize("address", SPECIAL)
def test_a_host_name_does_not_name_them(address: str) -> None:
    assert not AllowList(["evil.example"], resolve=lambda _: [address]).allows(address)


def test_with_entries_an_address_must_be_one_of_them() -> None:
    allow = AllowList(["10.0.0.0/8", "192.0.2.7", "2001:db8::/32"])

    assert allow.allows("10.255.0.1")
    assert allow.allows("::ffff:10.255.0.1")
    assert allow.allows("192.0.2.7")
    assert allow.allows("2001:db8::5")
    for address in ("11.0.0.1", "192.0.2.8", "127.0.0.1", "::1", "2001:db9::5"):
        assert not allow.allows(address)


def test_a_host_name_is_what_it_resolves_to_at_that_moment() -> None:
    found: dict[str, Collection[str]] = {"hooks.example": ["192.0.2.1", "2001:db8::1%1"]}
    allow = AllowList(["hooks.example", "gone.example"], resolve=lambda host: found.get(host, ()))

    assert allow.allows("192.0.2.1")
    assert allow.allows("2001:db8::1")
    found["hooks.example"] = ["192.0.2.2"]
    assert not allow.allows("192.0.2.1")
    assert allow.allows("192.0.2.2")


def test_names_are_looked_up() -> None:
    assert AllowList(["localhost"]).allows("127.0.0.1")
    assert not AllowList(["no-such-host.invalid"]).allows("127.0.0.1")


@pytest.mark.parametrize(
    "entry",
    [
        *("", "10.0.0.0/33", "10.0.0", "256.1.1.1", "::1/200", "a b", "http://h", "-h", "h/8"),
        *("h:80", "1.2.3.4:80", "*.example.com", "[::1]"),
    ],
)
def test_what_is_neither_address_nor_network_nor_host_is_refused(entry: str) -> None:
    with pytest.raises(ValueError, match="expected addresses, networks such as"):
        AllowList(["127.0.0.1", entry])
