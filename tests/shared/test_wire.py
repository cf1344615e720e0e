from __future__ import annotations

import base64
import contextlib
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import wire
from shared.clock import Exchange
from shared.errors import FrameError
from tests.conftest import MakeFrame


def test_what_one_side_writes_the_other_reads(make_frame: MakeFrame) -> None:
    frame = make_frame(7, epoch="abc", captured_at=1700000000.123456)

    envelope = wire.from_headers(wire.to_headers(frame, digest=True))

    assert (envelope.epoch, envelope.seq, envelope.captured_at) == ("abc", 7, 1700000000.123456)
    assert envelope.sent_at is not None
    wire.check_digest(envelope, frame.data)


def test_an_empty_envelope_says_nothing() -> None:
    assert wire.from_headers({}) == wire.Envelope()


@pytest.mark.parametrize(
    ("header", "value"),
    [
        pytest.param(wire.SEQ, "-1", id="negative seq"),
        pytest.param(wire.SEQ, "1.5", id="fractional seq"),
        pytest.param(wire.SEQ, "9" * 19, id="seq past 63 bits"),
        pytest.param(wire.SEQ, "١٢", id="digits of another script"),
        pytest.param(wire.EPOCH, "", id="empty epoch"),
        pytest.param(wire.EPOCH, "x" * 65, id="long epoch"),
        pytest.param(wire.EPOCH, "a b", id="epoch with a space"),
        pytest.param(wire.CAPTURED_AT, "yesterday", id="time in words"),
        pytest.param(wire.CAPTURED_AT, "nan", id="time not a number"),
        pytest.param(wire.SENT_AT, "1e9", id="time in scientific form"),
        pytest.param(wire.LAST_EXCHANGE, "", id="empty exchange"),
        pytest.param(wire.LAST_EXCHANGE, "sent=1; received=2; replied=3", id="three times"),
        pytest.param(
            wire.LAST_EXCHANGE, "sent=1; received=2; replied=3; sent=4", id="a time said twice"
        ),
        pytest.param(
            wire.LAST_EXCHANGE, "sent=1; received=2; replied=3; seen=nan", id="exchange of no time"
        ),
        pytest.param(
            wire.LAST_EXCHANGE, "sent=1; received=2; replied=3; seen=-4", id="exchange before 1970"
        ),
        pytest.param(
            wire.LAST_EXCHANGE, "sent=1; received=2; replied=3; seen=4; sent=5", id="five times"
        ),
        pytest.param(wire.DIGEST, "sha-256=abc", id="digest without colons"),
        pytest.param(wire.DIGEST, "sha-256=:AAAA:", id="digest too short"),
        pytest.param(wire.DIGEST, "md5=:AA==:, sha-256=:a*b=:", id="digest without base64"),
    ],
)
def test_a_bad_header_is_named(header: str, value: str) -> None:
    with pytest.raises(FrameError, match=header) as refused:
        wire.from_headers({header: value})
    assert refused.value.status == 400


def test_a_flipped_bit_is_found_by_the_digest(make_frame: MakeFrame) -> None:
    frame = make_frame()
    envelope = wire.from_headers(wire.to_headers(frame, digest=True))
    flipped = bytearray(frame.data)
    flipped[len(flipped) // 2] ^= 1

    with pytest.raises(FrameError) as refused:
        wire.check_digest(envelope, bytes(flipped))
    assert refused.value.reason == "digest"


def test_a_digest_of_another_algorithm_is_ignored() -> None:
    sha512 = base64.b64encode(hashlib.sha512(b"x").digest()).decode()

    assert wire.from_headers({wire.DIGEST: f"sha-512=:{sha512}:"}).digest is None


def test_an_exchange_comes_as_it_was_sent() -> None:
    exchange = Exchange(
        sent=1700000000.1, received=1700000005.123456, replied=1700000005.2, seen=1700000000.3
    )
    text = wire.format_exchange(exchange)

    assert text == (
        "sent=1700000000.100000; received=1700000005.123456; "
        "replied=1700000005.200000; seen=1700000000.300000"
    )
    assert wire.from_headers({wire.LAST_EXCHANGE: text}).exchange == exchange


def test_an_exchange_may_come_in_another_order() -> None:
    envelope = wire.from_headers({wire.LAST_EXCHANGE: "seen=4;replied=3;sent=1;received=2"})

    assert envelope.exchange == Exchange(sent=1, received=2, replied=3, seen=4)


@pytest.mark.parametrize(
    ("headers", "times"),
    [
        ({wire.RECEIVED_AT: "1.5", wire.REPLIED_AT: "2.5"}, (1.5, 2.5)),
        ({wire.RECEIVED_AT: "1.5"}, None),
        ({wire.RECEIVED_AT: "1.5", wire.REPLIED_AT: "Sat, 21 Nov"}, None),
        ({}, None),
    ],
)
def test_a_reply_s_times_are_read_where_they_are_legible(
    headers: dict[str, str], times: tuple[float, float] | None
) -> None:
    assert wire.reply_times(headers) == times


@given(
    st.dictionaries(
        st.sampled_from([wire.SEQ, wire.EPOCH, wire.CAPTURED_AT, wire.DIGEST, wire.LAST_EXCHANGE]),
        st.text(),
    )
)
def test_no_header_value_does_more_than_be_refused(headers: dict[str, str]) -> None:
    with contextlib.suppress(FrameError):
        wire.from_headers(headers)
