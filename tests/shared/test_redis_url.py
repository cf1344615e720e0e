from __future__ import annotations

from typing import Any

import pytest

from shared.redis_url import RedisUrl


@pytest.mark.parametrize(
    ("text", "shown", "settings"),
    [
        ("redis://h", "redis://h:6379/0", {"host": "h", "port": 6379, "db": 0}),
        ("redis://h:7/", "redis://h:7/0", {"host": "h", "port": 7, "db": 0}),
        ("redis://:p%40w@h:7/3", "redis://h:7/3", {"password": "p@w", "db": 3}),
        ("redis://me:pw@h", "redis://h:6379/0", {"username": "me", "password": "pw"}),
        ("redis://h?password=pw&username=me", "redis://h:6379/0", {"password": "pw"}),
        ("redis://[::1]:7/1", "redis://[::1]:7/1", {"host": "::1", "port": 7}),
        ("rediss://h", "rediss://h:6379/0", {"host": "h"}),
        ("rediss://h?ssl_cert_reqs=none", "rediss://h:6379/0", {"ssl_cert_reqs": "none"}),
        ("rediss://h?ssl_check_hostname=false", "rediss://h:6379/0", {"ssl_check_hostname": False}),
        ("unix:///run/redis.sock", "unix:///run/redis.sock", {"path": "/run/redis.sock", "db": 0}),
        ("unix://:pw@/r.sock?db=2", "unix:///r.sock", {"password": "pw", "db": 2}),
    ],
)
def test_a_url_names_a_redis(text: str, shown: str, settings: dict[str, Any]) -> None:
    url = RedisUrl.parse(text)

    assert url.shown == shown
    assert settings.items() <= url.settings.items()
    assert "pw" not in repr(url)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("redis://", "expected redis://"),
        ("redis:h", "expected redis://"),
        ("redis://:canary@h:0", "expected redis://"),
        ("redis://:canary@h:x", "expected redis://"),
        ("redis://:can#ary@h", "expected redis://"),
        ("redis://:can ary@h", "expected redis://"),
        ("redis://:canäry@h", "expected redis://"),
        ("http://:canary@h", "expected redis://"),
        ("unix://", "expected redis://"),
        ("unix://h/canary", "expected redis://"),
        ("redis://:canary@h/x", "expected a database's number such as /0, got 'x'"),
        ("redis://:canary@h/70000", "expected a database's number"),
        ("redis://:canary@h/-1", "expected a database's number"),
        (
            "redis://:canary@h?topik=x",
            "expected no option but topic, username, password, got 'topik'",
        ),
        ("redis://:canary@h?decode_responses=1", "expected no option but"),
        ("redis://:canary@h?ssl_ca_certs=x", "expected no option but"),
        ("redis://:canary@h?topic=a&topic=b", "topic: expected once, got it again"),
        ("rediss://:canary@h?ssl_cert_reqs=x", "ssl_cert_reqs: expected required or optional or"),
    ],
)
def test_what_is_wrong_is_said_without_the_password(text: str, sentence: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  # the sentence is looked at
        RedisUrl.parse(text, options=("topic",))

    assert str(caught.value).startswith(sentence)
    assert "canary" not in str(caught.value)


def test_options_are_the_user_s_and_no_setting_of_the_connection() -> None:
    url = RedisUrl.parse("redis://h?topic=img%2A&stop=", options=("topic", "stop", "key"))

    assert url.options == {"topic": "img*", "stop": ""}
    assert set(url.settings) == {"host", "port", "db"}


@pytest.mark.parametrize("text", ["0", "-1", "x", "", "nan", "inf", "1e9"])
def test_a_duration_is_checked(text: str) -> None:
    url = RedisUrl.parse(f"redis://h?expire={text}", options=("expire",))

    with pytest.raises(ValueError, match=r"^expire: expected seconds from 0.001 to 86400, got '"):
        url.seconds("expire", 10.0)


def test_a_duration_has_a_default() -> None:
    url = RedisUrl.parse("redis://h?a=2.5", options=("a", "b"))

    assert (url.seconds("a", 1.0), url.seconds("b", 1.0)) == (2.5, 1.0)
