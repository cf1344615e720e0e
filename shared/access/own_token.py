"""OwnToken: the setting of a token that a program asks its callers for."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, SecretStr

from shared.access.tokens import FORM, is_token
from shared.settings import Expect


def _check(token: SecretStr) -> SecretStr:
    if not is_token(token.get_secret_value()):
        raise ValueError("is none")
    return token


OwnToken = Annotated[
    SecretStr,
    AfterValidator(_check),
    Expect(f"{FORM}; this makes one: openssl rand -hex 24"),
]
