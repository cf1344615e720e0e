from __future__ import annotations

import base64

import pytest

from sender.carriers.redis_endpoint import RedisEndpoint
from shared import wire
from tests.conftest import MakeFrame


def test_a_url_without_options_has_the_camera_s_key_and_the_usual_topic() -> None:
    endpoint = RedisEndpoint.read("redis://:pw@h:7/2", "door")

    assert (endpoint.target, endpoint.topic, endpoint.stop) == ("door", "img0", "stop")
    assert (endpoint.expire, endpoint.shown) == (10.0, "redis://h:7/2")
    assert "pw" not in repr(endpoint)


def test_options_may_hold_the_camera_s_name() -> None:
    to = "redis://h?key=pic-{camera}&topic=img-{camera}&stop=stop-{camera}&expire=0.5"

    endpoint = RedisEndpoint.read(to, "door")

    assert (endpoint.target, endpoint.topic) == ("pic-door", "img-door")
    assert (endpoint.stop, endpoint.expire) == ("stop-door", 0.5)


def test_a_stop_key_may_be_left_out() -> None:
    assert RedisEndpoint.read("redis://h?stop=", "door").stop == ""


@pytest.mark.parametrize(
    ("to", "sentence"),
    [
        ("redis://h?key=", "key: expected a name, got ''"),
        ("redis://h?topic=" + "x" * 300, "topic: expected a name, got 'xxx"),
        ("redis://h?expire=0", "expire: expected seconds from 0.001 to 86400, got '0'"),
        ("redis://h?result=x", "expected no option but key, topic, stop, expire, username"),
    ],
)
def test_a_wrong_option_is_said(to: str, sentence: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  # the sentence is looked at
        RedisEndpoint.read(to, "door")

    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize("encoding", ["raw", "base64"])
def test_the_value_is_the_jpeg_or_its_base64_and_the_digest_the_jpeg_s(
    make_frame: MakeFrame, encoding: str
) -> None:
    frame = make_frame(7)
    endpoint = RedisEndpoint.read("redis://h", "cam1", encoding=encoding, digest=True)  # type: ignore[arg-type]

    headers, body = endpoint.request(frame)

    assert body == (frame.data if encoding == "raw" else base64.b64encode(frame.data))
    envelope = wire.from_headers(headers)
    assert envelope.seq == 7
    wire.check_digest(envelope, frame.data)
