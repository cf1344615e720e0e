"""Requests as bytes against a live receiver: what tests/vectors says is what it does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.program import Receiver
from tests.vectors import make, replay

NAMES = replay.names([])
HOOKS = ("echo", "nothing", "fail", "die", "slow-wait", "slow-superseded", "slow-full")
#: Its hook's process is a new one afterwards.
RESTARTS = "frames/failed-died"


def receiver_of(*hooks: str, **settings: Any) -> Receiver:
    """Return a receiver with the vectors' hooks for those cameras, ready."""
    options = [f"--hook={name}=tests.vectors.hooks:{name.partition('-')[0]}" for name in hooks]
    options += [f"--{name.replace('_', '-')}={value}" for name, value in settings.items()]
    receiver = Receiver(*options, "--allow-host=receiver.example")
    try:
        for number in range(1, len(hooks) + 1):
            receiver.wait_for(rf"hook\[{number}\].* is ready")
    except BaseException:
        receiver.__exit__(None, None, None)
        raise
    return receiver


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiver_of(*HOOKS[:-1], max_cameras=500) as receiver:
        yield receiver


@pytest.mark.parametrize(
    "name", [n for n in NAMES if n != RESTARTS and "receiver" not in replay.load(n)]
)
def test_a_request_is_answered_as_its_vector_says(name: str, receiver: Receiver) -> None:
    assert replay.replay(name, "127.0.0.1", receiver.port) == []


@pytest.mark.parametrize(
    "name", [n for n in NAMES if n == RESTARTS or "receiver" in replay.load(n)]
)
def test_a_vector_that_needs_a_receiver_of_its_own_is_answered_as_it_says(name: str) -> None:
    settings = replay.load(name).get("receiver", {})
    with receiver_of("die", "slow-full", **settings) as receiver:
        assert replay.replay(name, "127.0.0.1", receiver.port) == []


def test_the_files_are_what_the_generator_makes() -> None:
    on_disk = {
        str(path.relative_to(make.FOLDER)): path.read_bytes()
        for path in make.FOLDER.rglob("*")
        if path.is_file()
    }

    made = make.files()
    again = "run: python -m tests.vectors.make"
    assert set(on_disk) == set(made), again
    assert [name for name in made if made[name] != on_disk[name]] == [], again


def test_every_status_and_every_state_of_the_contract_has_a_vector() -> None:
    replies = [step["expect"] for name in NAMES for step in replay.load(name)["exchanges"]]
    statuses = {reply["status"] for reply in replies}
    states = {
        told.get("state")
        for reply in replies
        for told in (reply.get("json", {}), *reply.get("lines", []))
    }

    assert statuses >= {200, 202, 400, 404, 405, 409, 411, 413, 415, 422, 429, 500, 503}
    assert states >= {*("accepted", "processed", "superseded", "duplicate", "failed", "refused")}


BODY = b'{"state": "accepted", "seq": 5, "timings": {"hook": 1.5}}'


@pytest.mark.parametrize(
    ("expected", "trouble"),
    [
        ({"status": 200}, "status"),
        ({"status": 202, "headers": {"X-Received-At": {"is": "string"}}}, "X-Received-At"),
        ({"status": 202, "headers": {"Allow": "GET"}}, "Allow"),
        ({"status": 202, "json": {"state": "processed"}}, "state"),
        ({"status": 202, "json": {"seq": True}}, "seq"),
        ({"status": 202, "json": {"seq": "5"}}, "seq"),
        ({"status": 202, "json": {"state": {"is": "absent"}}}, "state"),
        ({"status": 202, "json": {"result": None}}, "result"),
        ({"status": 202, "json": {"timings": {"hook": {"is": "string"}}}}, "hook"),
        ({"status": 202, "json": {"timings": {"queue": {"is": "number"}}}}, "queue"),
        ({"status": 202, "json": {"seq": {"x": 1}}}, "seq"),
        ({"status": 202, "text": {"matches": "success"}}, "success"),
        ({"status": 202, "lines": []}, "0 lines"),
    ],
    ids=str,
)
def test_a_reply_that_is_not_as_expected_is_told(expected: dict[str, Any], trouble: str) -> None:
    reply = replay.Reply(202, {"allow": "POST"}, BODY)

    (told,) = replay.compare(expected, reply)

    assert trouble in told


def test_a_reply_that_is_as_expected_is_not() -> None:
    reply = replay.Reply(202, {"allow": "POST"}, BODY)
    expected = {
        "status": 202,
        "headers": {"ALLOW": "POST", "Retry-After": {"is": "absent"}},
        "json": {
            "state": {"matches": "^acc"},
            "seq": 5,
            "timings": {"hook": {"is": "number"}},
            "result": {"is": "absent"},
        },
    }

    assert list(replay.compare(expected, reply)) == []
