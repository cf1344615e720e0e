"""Who was let in once is known again, and nobody else's guesses keep him out."""

from __future__ import annotations

import base64
from itertools import count

import pytest

from shared.access import network
from shared.access.authorization import read_token
from shared.access.bearers import Bearers, Stranger
from shared.access.grant import Grant
from shared.access.guesses import BURST, Guesses
from shared.access.tokens import Tokens, digest_of
from tests.shared.access.clock import Clock
from tests.shared.access.tokens import GRANTED, SECRETS, basic, bearer

VIEW = bearer(SECRETS["view"])["Authorization"]


@pytest.fixture
def bearers(tokens: Tokens) -> Bearers:
    return Bearers(tokens, guesses=Guesses(clock=Clock()))


def guess_on(bearers: Bearers, address: str) -> str:
    """Guess until an end is put to it; return why."""
    for number in count():
        assert number <= BURST
        with pytest.raises(Stranger) as caught:
            bearers.identify(f"Bearer wrong-{number:012}", address)
        if caught.value.reason != "unknown":
            return str(caught.value.reason)
    raise AssertionError


def test_all_spellings_of_a_token_are_its_bearer_s(bearers: Bearers) -> None:
    spellings = [VIEW, VIEW.replace("Bearer", "bearer"), VIEW.replace("Bearer ", "BEARER   ")]
    spellings += [basic(SECRETS["view"], user=user)["Authorization"] for user in ("x", "", "ü b")]

    assert {bearers.identify(header, "a").grant.name for header in spellings} == {"view"}


@pytest.mark.parametrize(
    ("header", "reason", "sentence"),
    [
        (None, "missing", "token: expected one in the header Authorization, got none"),
        (
            *("Bearer a b", "malformed"),
            "Authorization: expected 'Bearer TOKEN', or Basic with the token as the password",
        ),
        (
            *("Bearer wrong-0123456789", "unknown"),
            "token: expected one that is known here, got another",
        ),
    ],
)
def test_a_stranger_is_told_what_came(
    header: str | None, reason: str, sentence: str, bearers: Bearers
) -> None:
    with pytest.raises(Stranger) as caught:
        bearers.identify(header, "a")

    assert (str(caught.value), caught.value.reason, caught.value.wait) == (sentence, reason, 0)


def test_a_bearer_goes_by_the_digest_of_the_token_at_first_and_again(bearers: Bearers) -> None:
    digests = {bearers.identify(VIEW, "a").digest for _ in range(2)}

    assert digests == {digest_of(SECRETS["view"])}


def test_headers_are_remembered_under_names_that_nobody_can_work_out(tokens: Tokens) -> None:
    first, second = Bearers(tokens), Bearers(tokens)
    for each in (first, second):
        each.identify(VIEW, "a")

    assert len(first._key) >= 32
    assert first._proved.keys().isdisjoint(second._proved.keys())


def test_the_guesses_that_were_given_are_counted(
    tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.access.guesses.PER_SECOND", 0.1)
    clock = Clock()
    bearers = Bearers(tokens, guesses=Guesses(clock=clock))
    guess_on(bearers, "a")

    with pytest.raises(Stranger) as caught:
        bearers.identify("Bearer another-0123456789", "a")
    assert (caught.value.reason, caught.value.wait) == ("limited", 10)

    clock.now += 10
    with pytest.raises(Stranger) as caught:
        bearers.identify("Bearer another-0123456789", "a")
    assert caught.value.reason == "unknown"


class Fleeting(Tokens):
    """A token is taken back between two looks at it."""

    def grant(self, digest: bytes) -> Grant | None:
        return None


def test_a_token_that_is_taken_back_while_it_is_looked_up_is_unknown() -> None:
    with pytest.raises(Stranger) as caught:
        Bearers(Fleeting(GRANTED)).identify(VIEW, "a")

    assert caught.value.reason == "unknown"


def test_who_was_let_in_comes_in_while_others_guess_at_the_same_address(bearers: Bearers) -> None:
    bearers.identify(VIEW, "198.51.100.1")

    assert guess_on(bearers, "198.51.100.1") == "limited"
    assert bearers.identify(VIEW, "198.51.100.1").grant.name == "view"


def test_a_right_guess_is_not_told_from_a_wrong_one_when_there_were_too_many(
    bearers: Bearers,
) -> None:
    guess_on(bearers, "198.51.100.1")

    with pytest.raises(Stranger, match="too many wrong ones") as caught:
        bearers.identify(VIEW, "198.51.100.1")
    assert caught.value.wait == 1
    assert bearers.identify(VIEW, "198.51.100.2").grant.name == "view"


@pytest.mark.parametrize(
    ("first", "second", "is_same"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("", "", True),
    ],
)
def test_the_addresses_that_one_machine_may_choose_from_count_as_one(
    first: str, second: str, is_same: bool, bearers: Bearers
) -> None:
    guess_on(bearers, first)

    with pytest.raises(Stranger) as caught:
        bearers.identify("Bearer another-0123456789", second)
    assert caught.value.reason == ("limited" if is_same else "unknown")


def test_a_token_that_is_taken_back_is_known_no_more(bearers: Bearers, tokens: Tokens) -> None:
    bearers.identify(VIEW, "a")
    tokens.replace(GRANTED[:1])

    with pytest.raises(Stranger):
        bearers.identify(VIEW, "a")

    tokens.replace(GRANTED)
    assert bearers.identify(VIEW, "a").grant.name == "view"


def test_however_a_token_is_spelt_only_so_many_spellings_are_remembered(bearers: Bearers) -> None:
    for number in range(2000):
        header = basic(SECRETS["view"], user=str(number))["Authorization"]
        assert bearers.identify(header, "a").grant.name == "view"

    assert len(bearers._proved) == 1024


@pytest.mark.parametrize(
    "header",
    [
        *("", "Bearer", "Bearer ", "Bearer  ", "Bearer a b", "Bearer ä", "Token abc", "abc"),
        *("Basic", "Basic x", "Basic !!!!", "Basic " + base64.b64encode(b"\xff\xfe:x").decode()),
        *("Basic " + base64.b64encode(b"no colon").decode(), "Bearer " + "x" * 2000),
        # A lenient decoder would leave out what is not of the alphabet.
        basic(SECRETS["view"])["Authorization"].replace("Basic e", "Basic *e"),
        *("Basic " + base64.b64encode(b"user:").decode(), "Bearer \ud800x", "Bearer a,Bearer b c"),
    ],
)
def test_what_holds_no_token_is_no_guess(header: str, bearers: Bearers) -> None:
    assert read_token(header) is None
    for _ in range(2 * BURST):
        with pytest.raises(Stranger) as caught:
            bearers.identify(header, "a")
        assert caught.value.reason == "malformed"


def test_a_header_of_the_greatest_length_is_looked_at_and_no_longer_one() -> None:
    assert read_token("Bearer " + "x" * 1017) == "x" * 1017
    assert read_token("Bearer " + "x" * 1018) is None


def test_of_the_addresses_that_came_so_many_are_remembered() -> None:
    for number in range(1, 1101):
        assert network.network_of(f"2001:db8:1:{number:x}::2") == f"2001:db8:1:{number:x}::/64"

    assert network.network_of.cache_info().currsize == 1024
