from __future__ import annotations

import pytest

from sender.carriers.carriers import read_endpoint
from sender.carriers.contract import CarrierOptions
from sender.carriers.udp_endpoint import UdpEndpoint
from shared import wire
from shared.errors import ConfigError
from tests.conftest import MakeFrame


def test_a_url_without_options_has_the_usual_ones() -> None:
    endpoint = UdpEndpoint.read("udp://h:5004", "door", token="canary")

    assert (endpoint.host, endpoint.port, endpoint.target) == ("h", 5004, "door")
    assert (endpoint.mtu, endpoint.parity, endpoint.form) == (1400, 0, "jpeg")
    assert (endpoint.pace, endpoint.interface, endpoint.ttl) == (0.5, "", 1)
    assert "canary" not in repr(endpoint)


def test_options_say_how_frames_are_cut_and_sent() -> None:
    to = "udp://239.1.2.3:5004?mtu=1000&parity=8&form=gray&pace=0&interface=lo&ttl=4"
    endpoint = UdpEndpoint.read(to, "door")

    assert (endpoint.mtu, endpoint.parity, endpoint.form) == (1000, 8, "gray")
    assert (endpoint.pace, endpoint.interface, endpoint.ttl) == (0.0, "lo", 4)


@pytest.mark.parametrize(("version", "ip"), [(4, 20), (6, 40)])
@pytest.mark.parametrize(("token", "seal"), [(None, 0), ("t" * 16, 24)])
def test_a_packet_is_never_larger_than_was_said(
    version: int, ip: int, token: str | None, seal: int
) -> None:
    endpoint = UdpEndpoint.read("udp://h:5004?mtu=1000", "door", token=token)

    cut = endpoint.cut(200_000, version=version)

    assert 990 <= ip + 8 + 24 + cut.chunk + seal <= 1000


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("form=png", "form: expected jpeg, rgb, gray, got 'png'"),
        ("mtu=400", "mtu: expected a whole number from 576 to 65535, got '400'"),
        ("parity=256", "parity: expected a whole number from 0 to 255, got '256'"),
        ("pace=91", "pace: expected a whole number from 0 to 90, got '91'"),
        ("ttl=x", "ttl: expected a whole number from 0 to 255, got 'x'"),
        ("skew=1", "expected no option but mtu, parity, form, pace, interface, ttl, got 'skew'"),
    ],
)
def test_a_wrong_option_is_said(query: str, sentence: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  # the sentence is looked at
        UdpEndpoint.read(f"udp://h:1?{query}", "door")

    assert str(caught.value) == sentence


def test_what_datagrams_cannot_do_is_said_at_once() -> None:
    options = CarrierOptions(
        to="udp://h:1", camera="cam1", transport="stream", delivery="every", encoding="base64"
    )
    with pytest.raises(ConfigError) as caught:
        read_endpoint(options)

    assert caught.value.problems == (
        "transport: expected post for UDP, got stream",
        "delivery: expected latest for UDP, got every",
        "encoding: expected raw for UDP, got base64",
    )


def test_a_request_is_the_picture_with_its_envelope(make_frame: MakeFrame) -> None:
    frame = make_frame(7)

    headers, body = UdpEndpoint.read("udp://h:1", "cam1", digest=True).request(frame)

    assert body == frame.data
    assert wire.from_headers(headers).seq == 7
    wire.check_digest(wire.from_headers(headers), body)
