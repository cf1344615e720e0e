from __future__ import annotations

from pathlib import Path

import pytest
import zmq.auth

from sender.carriers.zmq_endpoint import ZmqEndpoint
from shared import wire
from tests.conftest import MakeFrame


def test_the_text_is_the_camera_s_name_and_the_body_the_jpeg(make_frame: MakeFrame) -> None:
    endpoint, frame = ZmqEndpoint.read("zmq://hub:5555", "door"), make_frame(7)
    headers, body = endpoint.request(frame)

    assert (endpoint.target, endpoint.shown, endpoint.kind) == ("door", "zmq://hub:5555", "jpg")
    assert (headers[wire.SEQ], body) == ("7", frame.data)
    assert endpoint.advice(401) == ""


@pytest.mark.parametrize(
    ("to", "sentence"),
    [
        ("zmq://h", "expected zmq://HOST:PORT"),
        ("zmq://u:canary@h:1", "expected zmq://HOST:PORT"),
        ("zmq://h:1?reply=ok", "expected no option but form, secret, server, got 'reply'"),
        ("zmq://h:1?form=png", "form: expected jpg or image, got 'png'"),
        ("zmq://h:1?secret=a&clients=b", "expected no option but form, secret, server"),
        ("zmq+pub://0.0.0.0:1", r"expected CURVE keys .* got zmq\+pub://0.0.0.0:1 and none"),
        ("zmq+pub://*:1?insecure=no", "insecure=yes if all may watch"),
        ("zmq+pub://*:1?insecure=1", "insecure: expected no or yes, got '1'"),
    ],
)
def test_a_wrong_url_is_said_in_a_sentence(to: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence) as caught:
        ZmqEndpoint.read(to, "door")

    assert "canary" not in str(caught.value)


def test_a_digest_is_of_a_jpeg() -> None:
    with pytest.raises(ValueError, match="form: expected jpg with --digest, got image"):
        ZmqEndpoint.read("zmq://h:1?form=image", "door", digest=True)


def test_strangers_may_watch_with_keys_or_where_all_may(tmp_path: Path) -> None:
    _, secret = zmq.auth.create_certificates(tmp_path, "camera")
    for query in ("insecure=yes", f"secret={secret}&clients={tmp_path}"):
        assert ZmqEndpoint.read(f"zmq+pub://*:5555?{query}", "door").is_published
    assert ZmqEndpoint.read("zmq+pub://localhost:5555", "door").curve is None
