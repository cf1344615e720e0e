"""Logging in: which challenge is answered, how, and how often."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera.digest import Digest
from sender.rtsp.login import Challenge, Login, read_challenges

URL = "rtsp://cam/live"
#: The example of RFC 7616, 3.9.1.
RFC = (
    'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={algorithm}, '
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", '
    'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)


def login(*values: str, user: str | None = "admin", password: str | None = "secret") -> Login:
    made = Login(user, password, make_cnonce=lambda: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ")
    assert made.answer(read_challenges(values))
    return made


def test_challenges_are_taken_apart_however_they_are_written() -> None:
    assert read_challenges(
        [
            'Digest realm="a, \\"b\\"",nonce = "c" , algorithm=MD5, Basic realm="d"',
            "Negotiate",
            "NTLM abc==",
        ]
    ) == [
        Challenge("digest", {"realm": 'a, "b"', "nonce": "c", "algorithm": "MD5"}),
        Challenge("basic", {"realm": "d"}),
        Challenge("negotiate", {}),
        Challenge("ntlm", {"abc": "="}),
    ]


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_example_of_the_rfc_comes_out(algorithm: str, response: str) -> None:
    made = login(RFC.format(algorithm=algorithm), user="Mufasa", password="Circle of Life")

    said = made.authorization("GET", "/dir/index.html") or ""

    assert f'response="{response}"' in said
    assert 'username="Mufasa"' in said
    assert 'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"' in said
    assert "qop=auth, nc=00000001" in said
    assert f"algorithm={algorithm}" in said


def test_without_qop_it_is_the_old_form() -> None:
    said = login('Digest realm="r", nonce="n"').authorization("PLAY", URL) or ""

    def md5(text: str) -> str:
        return hashlib.md5(text.encode()).hexdigest()

    expected = md5(f"{md5('admin:r:secret')}:n:{md5(f'PLAY:{URL}')}")
    assert said == (
        f'Digest username="admin", realm="r", nonce="n", uri="{URL}", response="{expected}"'
    )


def test_each_use_of_a_nonce_is_counted() -> None:
    made = login(RFC.format(algorithm="MD5"))
    counts = [re.findall(r"nc=(\w+)", made.authorization("PLAY", URL) or "") for _ in range(3)]

    assert counts == [["00000001"], ["00000002"], ["00000003"]]


def test_basic_takes_any_password() -> None:
    said = login('Basic realm="r"', user="ü", password="a:b").authorization("PLAY", URL) or ""

    assert base64.b64decode(said.removeprefix("Basic ")).decode() == "ü:a:b"


def test_a_password_may_be_no_utf_8() -> None:
    said = login("Basic", password="\udcfc").authorization("PLAY", URL) or ""

    assert base64.b64decode(said.removeprefix("Basic ")) == b"admin:\xfc"
    assert login('Digest nonce="n"', password="\udcfc").authorization("PLAY", URL) is not None


def test_a_user_without_a_password_has_an_empty_one() -> None:
    said = login("Basic", password=None).authorization("PLAY", URL) or ""

    assert base64.b64decode(said.removeprefix("Basic ")) == b"admin:"


def test_signs_in_a_name_do_not_end_it() -> None:
    said = login('Digest realm="r", nonce="n"', user='a"b\\c\r\nd').authorization("PLAY", URL)

    assert said is not None
    assert said.startswith('Digest username="a\\"b\\\\cd", ')


@pytest.mark.parametrize(
    ("offered", "taken"),
    [
        (["Basic", 'Digest nonce="n"'], "Digest"),
        (['Digest nonce="n", Basic'], "Digest"),
        (['Digest nonce="n", algorithm=MD5', 'Digest nonce="n", algorithm=SHA-256'], "SHA-256"),
        (['Digest nonce="n", algorithm=sha-256', 'Digest nonce="n"'], "sha-256"),
        (['Digest nonce="n", algorithm=MD5-sess', "Basic"], "Basic"),
        (['Digest nonce="n", qop="auth-int"', "Basic"], "Basic"),
        (["Digest", "Basic"], "Basic"),
        (['Digest nonce="n", qop="", algorithm='], "Digest"),
    ],
)
def test_the_best_challenge_is_answered(offered: list[str], taken: str) -> None:
    assert taken in (login(*offered).authorization("PLAY", URL) or "")


@pytest.mark.parametrize("offered", [[], ["Negotiate"], ['Digest nonce="n", algorithm=MD5-sess']])
def test_what_is_not_known_is_not_answered(offered: list[str]) -> None:
    made = Login("admin", "secret")

    assert not made.answer(read_challenges(offered))
    assert made.authorization("PLAY", URL) is None


def test_without_a_user_nothing_is_answered() -> None:
    assert not Login(None, None).answer(read_challenges(["Basic"]))


@pytest.mark.parametrize("again", ['Digest nonce="n"', 'Digest nonce="m"', "Basic"])
def test_a_password_is_tried_once(again: str) -> None:
    assert not login('Digest nonce="n"').answer(read_challenges([again]))


def test_basic_is_tried_once() -> None:
    made = login("Basic")
    made.accept()

    assert not made.answer(read_challenges(["Basic"]))


def test_a_stale_nonce_is_replaced() -> None:
    made = login('Digest nonce="n"')

    assert made.answer(read_challenges(['Digest nonce="m", stale=TRUE']))
    assert 'nonce="m"' in (made.authorization("PLAY", URL) or "")
    assert not made.answer(read_challenges(['Digest nonce="m", stale=true']))


def test_a_password_that_was_right_once_is_tried_with_a_new_nonce() -> None:
    made = login('Digest nonce="n"')
    made.accept()

    assert made.answer(read_challenges(['Digest nonce="m"']))


PIECES = ["Digest ", "Basic ", "nonce=", '"a"', '"', ",", "\\", "x=", "=", " ", "algorithm=MD5"]


@given(st.text(max_size=200) | st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_any_text_is_taken_apart(value: str) -> None:
    for challenge in read_challenges([value]):
        assert challenge.rank in (None, 0, 1, 2)


@given(user=st.text(), password=st.text(), qop=st.booleans())
def test_whatever_the_password_a_server_is_convinced(user: str, password: str, qop: bool) -> None:
    plain = re.sub(r'[\x00-\x1f\x7f"\\]', "", user.encode("utf-8", "ignore").decode())
    secret = password.encode("utf-8", "ignore").decode()
    server = Digest(plain, secret)
    values = [value + ', qop="auth"' * qop for value in server.challenge().split("\n")]

    said = login(*values, user=plain, password=secret).authorization("PLAY", URL)

    assert server.accepts(said, "PLAY")
    assert not server.accepts(said, "PAUSE")
