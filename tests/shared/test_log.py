"""Log lines as JSON: one object each, with what the message is about, and no password in it."""

from __future__ import annotations

import json
import logging
import sys
import threading
from datetime import datetime
from typing import Any

import pytest

from shared.log import JsonFormatter, TextFormatter, configure
from shared.redact import redact


def made(message: str, *args: object, **given: Any) -> dict[str, Any]:
    """Return the line that a message becomes, read."""
    record = logging.LogRecord(
        "sender.reader", given.get("level", logging.INFO), __file__, 1, message, args, None
    )
    record.exc_info = given.get("exc_info")
    line = JsonFormatter("sender", redact).format(record)
    assert "\n" not in line
    found: dict[str, Any] = json.loads(line)
    return found


def test_a_line_says_when_where_and_what() -> None:
    line = made("camera %s: %s", "door", "lost", level=logging.WARNING)
    at = datetime.fromisoformat(line.pop("time"))

    assert at.utcoffset() is not None
    assert abs(at.timestamp() - datetime.now(at.tzinfo).timestamp()) < 5
    assert line == {
        "level": "warning",
        "program": "sender",
        "message": "camera door: lost",
        "logger": "sender.reader",
        "camera": "door",
    }


@pytest.mark.parametrize(
    ("message", "field", "value"),
    [
        ("hook my.face:process: raised", "hook", "my.face:process"),
        ("hook[3] | a line that the hook printed", "worker", 3),
        ("hook[3]: my.face:process is ready (process 9)", "worker", 3),
        ("webhook https://example.org: refuses results", "webhook", "https://example.org"),
        ("bus redis://db:6379/0: works again", "bus", "redis://db:6379/0"),
    ],
)
def test_what_a_message_is_about_is_a_field(message: str, field: str, value: object) -> None:
    assert made(message)[field] == value


def test_a_message_about_nothing_in_particular_has_no_such_field() -> None:
    assert set(made("the camera door: is open")) == {
        *("time", "level", "program", "message", "logger")
    }


def test_no_password_is_in_a_message_or_in_a_traceback() -> None:
    try:
        raise ValueError("rtsp://user:canary@host/ is wrong")
    except ValueError:
        line = made("camera door: rtsp://user:canary@host/ fails", exc_info=sys.exc_info())

    assert "canary" not in json.dumps(line)
    assert "***@host" in line["message"]
    assert line["exception"].startswith("Traceback")
    assert "***@host/ is wrong" in line["exception"]


def test_whatever_a_message_holds_it_stays_one_line_of_ascii() -> None:
    text = 'two\nlines "quoted" \x00 \ud800 é'

    assert made("%s", text)["message"] == text


def test_text_is_what_it_was() -> None:
    record = logging.LogRecord("x", logging.WARNING, __file__, 1, "it is late", (), None)

    line = TextFormatter("sender").format(record)

    assert line[8:] == " sender   WARNING: it is late"


def test_a_program_that_a_test_calls_configures_the_log_of_the_process() -> None:
    configure("sender")

    assert logging.getLogger().isEnabledFor(logging.INFO)
    assert threading.excepthook.__module__ == sys.excepthook.__module__ == "shared.log"


def test_and_the_next_test_meets_nothing_of_that() -> None:
    assert not logging.getLogger().isEnabledFor(logging.INFO)
    assert "shared.log" not in (threading.excepthook.__module__, sys.excepthook.__module__)
    assert all(type(each) is not logging.StreamHandler for each in logging.getLogger().handlers)
