from __future__ import annotations

import json

import pytest

from shared import redis_envelope, wire
from shared.errors import FrameError
from tests.conftest import MakeFrame


def test_the_facts_come_through_unchanged(make_frame: MakeFrame) -> None:
    frame = make_frame(7, captured_at=1700000000.123456)
    headers = wire.to_headers(frame, digest=True)

    text = redis_envelope.write(headers, length=5)

    assert redis_envelope.read(text, length=5) == headers
    assert json.loads(text)["seq"] == 7
    assert json.loads(text)["captured_at"] == 1700000000.123456


def test_the_envelope_of_another_value_says_nothing(make_frame: MakeFrame) -> None:
    text = redis_envelope.write(wire.to_headers(make_frame()), length=5)

    assert redis_envelope.read(text, length=6) == {}


def test_a_foreign_program_may_write_less() -> None:
    assert redis_envelope.read(b'{"seq": 3, "epoch": null}', length=5) == {"X-Frame-Seq": "3"}
    assert redis_envelope.read(b'{"captured_at": 1700000000}', length=5) == {
        "X-Timestamp": "1700000000"
    }


@pytest.mark.parametrize(
    "text",
    [b"\xff", b"[]", b"7", b"{", b'"x"', b"[" * 4000, b"\x80\x04N."],
    ids=["binary", "a list", "a number", "cut off", "a text", "brackets", "a pickle"],
)
def test_what_is_no_envelope_is_refused(text: bytes) -> None:
    with pytest.raises(FrameError, match=r"^envelope: expected JSON such as"):
        redis_envelope.read(text, length=5)


@pytest.mark.parametrize(
    "text",
    [
        *(b'{"seq": -1}', b'{"seq": 1.5}', b'{"seq": true}', b'{"seq": "x"}', b'{"seq": {}}'),
        *(b'{"captured_at": NaN}', b'{"sent_at": -1.0}', b'{"sent_at": 1e300}'),
        b'{"captured_at": ' + b"9" * 4000 + b"}",
        *(b'{"epoch": "a b"}', b'{"epoch": ""}', b'{"digest": 7}'),
    ],
)
def test_what_its_fields_hold_is_checked_as_headers_are(text: bytes) -> None:
    with pytest.raises(FrameError):
        wire.from_headers(redis_envelope.read(text, length=5))
