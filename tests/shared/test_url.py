from __future__ import annotations

import base64

import pytest

from shared.url import HttpUrl


@pytest.mark.parametrize(
    ("text", "host", "port", "tls", "target", "origin"),
    [
        pytest.param("http://h", "h", 80, False, "/", "http://h:80", id="a base"),
        pytest.param("https://h", "h", 443, True, "/", "https://h:443", id="https"),
        pytest.param(
            "http://h:8/a/b?x=1&y#z", "h", 8, False, "/a/b?x=1&y", "http://h:8", id="a path"
        ),
        pytest.param("http://[::1]:9/", "::1", 9, False, "/", "http://[::1]:9", id="IPv6"),
    ],
)
def test_it_is_taken_apart(
    text: str, host: str, port: int, tls: bool, target: str, origin: str
) -> None:
    url = HttpUrl.parse(text)

    assert (url.host, url.port, url.tls, url.target, url.origin) == (
        host,
        port,
        tls,
        target,
        origin,
    )
    assert url.authorization is None


@pytest.mark.parametrize(
    "text",
    [
        *("", "h:8000", "ftp://h", "http://", "http://h:99999", "http://h:0", "http://h/a b"),
        *("http://[::1", "http://a..b", "http://h/\r\nX: y", "http://h/ü"),
    ],
)
def test_what_is_no_http_url_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected http://HOST:PORT"):
        HttpUrl.parse(text)


def test_a_user_becomes_basic_authorization_and_shows_nowhere() -> None:
    url = HttpUrl.parse("http://user:can%40ary@h:1/hooks/canary?token=canary")

    assert url.authorization == f"Basic {base64.b64encode(b'user:can@ary').decode()}"
    assert url.origin == "http://h:1"
    assert "canary" not in repr(url)
    assert url.authorization not in repr(url)
