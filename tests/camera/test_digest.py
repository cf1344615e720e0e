"""Who may watch."""

from __future__ import annotations

import hashlib
import re

import av
import pytest

from camera.digest import REALM, Digest
from camera.simulated import SimulatedCamera
from tests.camera.player import numbers, playing
from tests.camera.raw_client import RawClient, Response


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_who_has_the_password_sees_the_picture(transport: str) -> None:
    with (
        SimulatedCamera(size=(160, 120), fps=50, user="u@", password="p/@ß") as camera,
        playing(camera.login_url, transport=transport) as frames,
    ):
        assert numbers(frames, 2) == [0, 1]


def test_signs_that_end_a_quoted_name_are_taken_back() -> None:
    digest = Digest('a"b\\c', "p")
    nonce = digest.challenge().partition('nonce="')[2].partition('"')[0]
    secret = hashlib.md5(f'a"b\\c:{REALM}:p'.encode()).hexdigest()
    place = hashlib.md5(b"PLAY:rtsp://h/x").hexdigest()
    response = hashlib.md5(f"{secret}:{nonce}:{place}".encode()).hexdigest()

    assert digest.accepts(
        f'Digest username="a\\"b\\\\c", uri="rtsp://h/x", response="{response}"', "PLAY"
    )


@pytest.mark.parametrize("url", ["rtsp://u:wrong@{}", "rtsp://{}"])
def test_a_wrong_password_and_none_are_refused(url: str) -> None:
    with SimulatedCamera(size=(160, 120), user="u", password="p") as camera:
        assert "p" not in camera.url.removeprefix("rtsp://")
        with (
            pytest.raises(av.HTTPUnauthorizedError),
            playing(url.format(f"127.0.0.1:{camera.port}")),
        ):
            pass


def _login(response: Response, algorithm: str, password: str, *, qop: bool) -> str:
    """Answer the challenge of `response` as RFC 7616 says."""
    challenge = next(c for c in response.headers["www-authenticate"] if algorithm in c)
    given = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
    new = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}[algorithm]

    def hashed(text: str) -> str:
        return new(text.encode()).hexdigest()

    secret, place = hashed(f"user:{given['realm']}:{password}"), hashed("DESCRIBE:rtsp://any/")
    middle = f"{given['nonce']}:00000001:abc:auth" if qop else given["nonce"]
    more = ', qop=auth, nc=00000001, cnonce="abc"' if qop else ""
    return (
        f'Digest username="user", realm="{given["realm"]}", nonce="{given["nonce"]}", '
        f'uri="rtsp://any/", response="{hashed(f"{secret}:{middle}:{place}")}", '
        f"algorithm={algorithm}{more}"
    )


@pytest.mark.parametrize("qop", [False, True])
@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_only_who_knows_the_password_may_watch(algorithm: str, qop: bool) -> None:
    with (
        SimulatedCamera(size=(160, 120), user="user", password="pa:ss") as camera,
        RawClient(camera.url) as client,
    ):
        assert client.request("OPTIONS").status == 200
        challenged = client.request("DESCRIBE")
        assert challenged.status == 401
        right = _login(challenged, algorithm, "pa:ss", qop=qop)
        wrong = _login(challenged, algorithm, "pass", qop=qop)

        assert client.request("DESCRIBE", Authorization=wrong).status == 401
        assert client.request("DESCRIBE", Authorization=right).status == 200
        # Another method makes another proof.
        assert client.request("SETUP", Transport="RTP/AVP/TCP", Authorization=right).status == 401
        assert client.request("DESCRIBE", Authorization="Basic dXNlcjpwYTpzcw==").status == 401
        assert client.request("DESCRIBE", Authorization="Digest nonsense").status == 401
