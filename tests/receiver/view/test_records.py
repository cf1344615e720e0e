"""The form in which many cameras' pictures travel in one body."""

from __future__ import annotations

import json

from receiver.view.records import record


def test_a_record_says_how_long_its_head_and_its_body_are() -> None:
    data = record("picture", {"camera": "cam1", "seq": 7}, b"\xff\xd8jpeg")

    head = json.dumps({"kind": "picture", "camera": "cam1", "seq": 7}, separators=(",", ":"))
    assert data[:4] == len(head).to_bytes(4, "big")
    assert data[4:8] == (6).to_bytes(4, "big")
    assert data[8:-6] == head.encode()
    assert data[-6:] == b"\xff\xd8jpeg"


def test_a_record_may_be_words_alone() -> None:
    data = record("cameras", {"cameras": []})

    assert data[4:8] == bytes(4)
    assert json.loads(data[8:]) == {"kind": "cameras", "cameras": []}
