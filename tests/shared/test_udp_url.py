from __future__ import annotations

import socket

import pytest

from shared.udp_url import UdpUrl, resolve

OPTIONS = ("mtu", "interface")


def test_a_url_says_where_and_how() -> None:
    url = UdpUrl.parse("udp://239.1.2.3:5004?mtu=900&interface=eth0", options=OPTIONS)

    assert (url.host, url.port, url.shown) == ("239.1.2.3", 5004, "udp://239.1.2.3:5004")
    assert url.is_multicast
    assert url.interface == "eth0"
    assert url.whole("mtu", 1400, least=576, most=1500) == 900
    assert url.whole("ttl", 1, least=0, most=255) == 1


def test_an_address_of_ip_version_6_stands_in_brackets() -> None:
    url = UdpUrl.parse("udp://[::1]:5004", options=())

    assert (url.host, url.shown, url.is_multicast) == ("::1", "udp://[::1]:5004", False)
    assert resolve(url) == (socket.AF_INET6, "::1")
    assert UdpUrl.parse("udp://[ff02::1]:5004", options=()).is_multicast


@pytest.mark.parametrize(
    "text",
    [
        *("udp://h", "udp://:5004", "udp://h:0", "udp://h:x", "udp://h:70000", "udp://[::1"),
        *("udp://h:1/path", "udp://h:1#f", "udp://user@h:1", "udp://h :1", "http://h:1", "h:1"),
    ],
)
def test_anything_else_is_no_such_url(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected udp://HOST:PORT"):
        UdpUrl.parse(text, options=OPTIONS)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("mtuu=1", "expected no option but mtu, interface, got 'mtuu'"),
        ("mtu=900&mtu=900", "mtu: expected once, got it again"),
        ("mtu=575", "mtu: expected a whole number from 576 to 1500, got '575'"),
        ("mtu=", "mtu: expected a whole number from 576 to 1500, got ''"),
        ("mtu=9e2", "mtu: expected a whole number from 576 to 1500, got '9e2'"),
        ("mtu=" + "9" * 5000, "mtu: expected a whole number from 576 to 1500, got '9999"),
        ("interface=eth0", "interface: expected with the address of a multicast group alone"),
    ],
)
def test_a_wrong_option_is_said(query: str, sentence: str) -> None:
    def read() -> None:
        url = UdpUrl.parse(f"udp://h:1?{query}", options=OPTIONS)
        url.whole("mtu", 1400, least=576, most=1500)
        assert not url.interface

    with pytest.raises(ValueError) as caught:  # noqa: PT011  # the sentence is looked at
        read()

    assert str(caught.value).startswith(sentence)
