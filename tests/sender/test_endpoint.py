from __future__ import annotations

import base64
from urllib.parse import parse_qs

import pytest

from sender.endpoint import Endpoint
from shared import wire
from tests.conftest import MakeFrame


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        pytest.param("http://h", ("h", 80, False, "/cameras/c1/frames"), id="a base"),
        pytest.param("http://h:8000/", ("h", 8000, False, "/cameras/c1/frames"), id="a slash"),
        pytest.param("https://h", ("h", 443, True, "/cameras/c1/frames"), id="https"),
        pytest.param("http://h/image_post", ("h", 80, False, "/image_post"), id="a path"),
        pytest.param(
            "http://h/image_post?camera={camera}&x=1",
            ("h", 80, False, "/image_post?camera=c1&x=1"),
            id="a query with the camera's name",
        ),
        pytest.param("http://[::1]:9/", ("::1", 9, False, "/cameras/c1/frames"), id="IPv6"),
    ],
)
def test_a_base_url_gets_our_route_and_a_path_stands(
    to: str, expected: tuple[str, int, bool, str]
) -> None:
    endpoint = Endpoint.parse(to, "c1")

    assert (endpoint.host, endpoint.port, endpoint.tls, endpoint.target) == expected


def test_the_raw_form_is_the_jpeg_and_its_envelope(make_frame: MakeFrame) -> None:
    frame = make_frame(7)

    headers, body = Endpoint.parse("http://h", "cam1").request(frame)

    assert body == frame.data
    assert headers["Content-Type"] == "image/jpeg"
    assert wire.from_headers(headers).seq == 7


def test_the_classic_form_survives_a_form_parser(make_frame: MakeFrame) -> None:
    frame = make_frame(7)

    headers, body = Endpoint.parse("http://h/image_post", "c", encoding="base64").request(frame)

    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    fields = parse_qs(body.decode(), strict_parsing=True)
    assert base64.b64decode(fields["img"][0], validate=True) == frame.data
    assert b"%2B" in body
    assert wire.from_headers(headers).seq == 7


def test_a_digest_is_sent_on_request(make_frame: MakeFrame) -> None:
    frame = make_frame()
    headers, _ = Endpoint.parse("http://h", "c", digest=True).request(frame)

    wire.check_digest(wire.from_headers(headers), frame.data)
    assert wire.DIGEST in headers


def test_a_token_goes_into_the_header_and_into_no_repr(make_frame: MakeFrame) -> None:
    endpoint = Endpoint.parse("http://h", "c", token="canary")

    assert endpoint.request(make_frame())[0]["Authorization"] == "Bearer canary"
    assert "canary" not in repr(endpoint)


def test_a_password_in_the_url_becomes_basic_authorization(make_frame: MakeFrame) -> None:
    endpoint = Endpoint.parse("http://user:can%40ary@h:1/", "c")

    expected = base64.b64encode(b"user:can@ary").decode()
    assert endpoint.request(make_frame())[0]["Authorization"] == f"Basic {expected}"
    assert endpoint.shown == "http://h:1"
    assert expected not in repr(endpoint)
