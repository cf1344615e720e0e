from __future__ import annotations

import pytest

from receiver.config import ReceiverConfig
from receiver.listeners.udp_place import UdpPlace
from shared.errors import ConfigError

TOKEN = "canary-0123456789abcdef"


def test_a_place_is_an_address_and_how_far_clocks_may_be_off() -> None:
    place = UdpPlace.parse("udp://239.1.2.3:5004?interface=eth0&skew=5")

    assert (place.shown, place.interface, place.skew) == ("udp://239.1.2.3:5004", "eth0", 5)
    assert UdpPlace.parse("udp://h:1").skew == 30


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_on_this_machine_alone_no_token_is_needed(host: str) -> None:
    assert UdpPlace.parse(f"udp://{host}:5004").lacks == ""


@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.7", "camera.example", "239.1.2.3", "[::]"])
def test_beyond_it_a_token_is_needed_or_a_word(host: str) -> None:
    listen = f"--listen=udp://{host}:5004"
    with pytest.raises(ConfigError) as caught:
        ReceiverConfig.load([listen])

    [problem] = caught.value.problems
    assert problem.startswith("RECEIVER_LISTEN: expected a token (RECEIVER_TOKEN or --tokens)")
    assert ReceiverConfig.load([listen, f"--token={TOKEN}"]).listen
    assert ReceiverConfig.load([listen, "--insecure"]).listen


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("udp://127.0.0.1", "RECEIVER_LISTEN: expected udp://HOST:PORT, with options behind"),
        ("udp://127.0.0.1:1?skew=0", "RECEIVER_LISTEN: skew: expected a whole number from 1 to "),
        ("udp://127.0.0.1:1?interface=lo", "RECEIVER_LISTEN: interface: expected with the address"),
        ("udp://h:1?parity=4", "RECEIVER_LISTEN: expected no option but interface, skew, got 'pa"),
        ("udp://h:1,udp://h:1?skew=9", "RECEIVER_LISTEN: expected each once, got udp://h:1 again"),
    ],
)
def test_a_wrong_place_is_said_in_a_sentence(url: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        ReceiverConfig.load([f"--listen={url}", f"--token={TOKEN}"])

    [problem] = caught.value.problems
    assert problem.startswith(sentence)
    assert TOKEN not in problem
