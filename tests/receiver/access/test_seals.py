from __future__ import annotations

from receiver.access.seals import Seals
from shared.access.grant import Grant, Token
from shared.access.tokens import Tokens, digest_of
from shared.datagram_seal import Seal

GRANT = Grant(name="door", roles=frozenset({"ingest"}))


def test_a_seal_is_found_by_its_key_s_name_as_long_as_its_token_counts() -> None:
    tokens = Tokens([Token(digest=digest_of("one"), grant=GRANT)])
    seals = Seals(tokens)
    name = Seal.of("one").name

    found = seals.find(name)
    assert found is not None
    assert (found[0].name, found[1]) == (name, GRANT)
    assert seals.find(Seal.of("two").name) is None
    assert seals.find(b"") is None

    tokens.replace([Token(digest=digest_of("two"), grant=GRANT)])
    assert seals.find(name) is None
    assert seals.find(Seal.of("two").name) is not None
