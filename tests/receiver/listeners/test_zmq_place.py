from __future__ import annotations

from pathlib import Path

import pytest
import zmq.auth

from receiver.config import ReceiverConfig
from receiver.listeners.zmq_place import ZmqPlace
from shared.errors import ConfigError


def test_all_has_a_default() -> None:
    place = ZmqPlace.parse("zmq://127.0.0.1:5555")

    assert (place.shown, place.url.address) == ("zmq://127.0.0.1:5555", "tcp://127.0.0.1:5555")
    assert (place.has_replies, place.replies_results, place.camera) == (True, False, "")
    assert place.wait == 10.0
    assert not ZmqPlace.parse("zmq+sub://h:5555").has_replies


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("zmq://h", "expected zmq://HOST:PORT"),
        ("zmq://h:0", "expected zmq://HOST:PORT"),
        ("zmq://h:x", "expected zmq://HOST:PORT"),
        ("zmq://:5555", "expected zmq://HOST:PORT"),
        ("zmq://u:canary@h:1", "expected zmq://HOST:PORT"),
        ("zmq://h:1/path", "expected zmq://HOST:PORT"),
        ("zmq+sub://h:1#x", r"expected zmq\+sub://HOST:PORT"),
        ("zmq://h:1?replies=1", "expected no option but camera, reply, wait, secret, clients"),
        ("zmq+sub://h:1?reply=ok", "expected no option but camera, secret, server"),
        ("zmq://h:1?reply=yes", "reply: expected ok or result, got 'yes'"),
        ("zmq://h:1?wait=0", "wait: expected seconds up to 60, got '0'"),
        ("zmq://h:1?wait=nan", "wait: expected seconds up to 60, got 'nan'"),
        ("zmq://h:1?camera=a%20b", "camera: expected"),
        ("zmq://h:1?camera=", "camera: expected"),
        ("zmq://h:1?secret=a", "expected secret and clients together, got secret alone"),
        ("zmq+sub://h:1?server=a", "expected secret and server together, got server alone"),
        ("zmq://h:1?secret=/no&clients=/no", "secret: expected a file of zmq.auth"),
    ],
)
def test_a_wrong_url_is_said_in_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence) as caught:
        ZmqPlace.parse(text)

    assert "canary" not in str(caught.value)


def test_keys_are_read_from_their_files_and_never_shown(tmp_path: Path) -> None:
    public, secret = (Path(p) for p in zmq.auth.create_certificates(tmp_path, "hub"))
    place = ZmqPlace.parse(f"zmq://h:1?secret={secret}&clients={tmp_path}")

    assert place.curve is not None
    assert place.curve.clients == frozenset({place.curve.public})
    assert place.curve.secret.decode() not in repr(place)
    for wrong, sentence in (
        (f"secret={public}&clients={tmp_path}", "secret: expected a file with both keys"),
        (f"secret={secret}&clients={public}", "clients: expected a folder of .key files"),
        (f"secret={secret}&clients={tmp_path.parent}", "has none"),
    ):
        with pytest.raises(ValueError, match=sentence):
            ZmqPlace.parse(f"zmq://h:1?{wrong}")
    public.write_text('public-key = "short"')
    with pytest.raises(ValueError, match="clients: expected a file of zmq"):
        ZmqPlace.parse(f"zmq://h:1?secret={secret}&clients={tmp_path}")


@pytest.mark.parametrize("host", ["0.0.0.0", "*", "192.0.2.1", "[::]"])
def test_strangers_are_let_in_only_with_keys_or_a_word(host: str, tmp_path: Path) -> None:
    _, secret = zmq.auth.create_certificates(tmp_path, "hub")
    url = f"zmq://{host}:5555"
    with pytest.raises(ConfigError, match=r"expected CURVE keys \(\?secret=FILE&clients=FOLDER\)"):
        ReceiverConfig.load(["--listen", url])

    ReceiverConfig.load(["--listen", url, "--insecure"])
    ReceiverConfig.load(["--listen", f"{url}?secret={secret}&clients={tmp_path}"])


@pytest.mark.parametrize("url", ["zmq://localhost:5555", "zmq://[::1]:5555", "zmq+sub://h:5555"])
def test_this_machine_s_programs_need_none(url: str) -> None:
    assert ZmqPlace.parse(url).lacks == ""
