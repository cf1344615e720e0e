"""Whose token came: by its digest, in the same time for each, and no short ones."""

from __future__ import annotations

import hmac

import pytest

from shared.access.tokens import LONGEST, SHORTEST, Tokens, digest_of, is_token
from tests.shared.access.tokens import GRANTED, SECRETS


def test_a_token_is_found_and_another_is_not(tokens: Tokens) -> None:
    for name, secret in SECRETS.items():
        grant = tokens.grant(tokens.find(secret) or b"")
        assert grant is not None
        assert grant.name == name
    assert tokens.find("wrong-0123456789") is None


@pytest.mark.parametrize("token", [SECRETS["ingest"], SECRETS["admin"], "wrong-0123456789"])
def test_every_token_is_compared_whichever_came(
    token: str, tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[bytes] = []
    real = hmac.compare_digest

    def compare(first: bytes, second: bytes) -> bool:
        compared.append(second)
        return real(first, second)

    monkeypatch.setattr(hmac, "compare_digest", compare)
    tokens.find(token)

    assert compared == [token.digest for token in GRANTED]


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("x" * SHORTEST, True),
        ("x" * LONGEST, True),
        ("x" * (SHORTEST - 1), False),
        ("x" * (LONGEST + 1), False),
        ("@:/%?#&=+\"'\\~!$^*()", True),
        ("with a space in it", False),
        ("line\nbreak-0123456789", False),
        ("schlüssel-0123456789", False),
        ("", False),
    ],
)
def test_a_token_is_long_enough_and_fits_in_a_header(text: str, is_one: bool) -> None:
    assert is_token(text) is is_one


def test_a_short_token_is_not_taken_though_its_digest_is_known() -> None:
    short = type(GRANTED[0])(digest=digest_of("short"), grant=GRANTED[0].grant)

    assert Tokens([short]).find("short") is None


def test_no_repr_tells_a_digest() -> None:
    assert all(token.digest.hex() not in repr(token) for token in GRANTED)
    assert "digest" not in repr(GRANTED[0])
