from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from receiver.app import create_app
from receiver.config import WorkerConfig
from receiver.hooking import routes
from receiver.hooking.runner import Runner
from receiver.hooking.schedule import HubFeeds
from receiver.hub import Hub
from receiver.worker.__main__ import Worker
from tests.receiver.bench import Bench, wait_until


def serve(runner: Runner) -> FlaskClient:
    return create_app([routes.blueprint(runner)], max_bytes=1000).test_client()


@pytest.fixture
def client(bench: Bench) -> FlaskClient:
    bench.write("def process(frame):\n    print('frame', frame.seq)")
    client = serve(bench.start())
    wait_until("the hook", lambda: not bench.runner.status()[0].loading)
    return client


def test_the_log_is_read_on_from_where_one_was(bench: Bench, client: FlaskClient) -> None:
    bench.show()
    first = client.get("/hooks/log?hook=bench_hook").json
    assert first is not None
    assert [line["line"] for line in first["lines"][1:]] == ["frame 0"]
    assert set(first["lines"][1]) == {"id", "at", "hook", "worker", "by", "line"}
    bench.show()
    wait_until("it", lambda: bench.runner.log.newest(9, after=first["next"])[0])

    more = client.get(f"/hooks/log?after={first['next']}").json

    assert more is not None
    assert [line["line"] for line in more["lines"]] == ["frame 1"]
    assert more["next"] == more["lines"][-1]["id"]
    last = client.get("/hooks/log?lines=1").json
    assert last is not None
    assert [line["line"] for line in last["lines"]] == ["frame 1"]


@pytest.mark.parametrize(
    ("query", "status", "detail"),
    [
        ("hook=other", 404, "hook: expected one of bench_hook; got 'other'"),
        ("lines=0", 400, "lines: expected a whole number from 1 to 500, got '0'"),
        ("lines=501", 400, "lines: expected a whole number from 1 to 500, got '501'"),
        ("after=-1", 400, "after: expected a whole number from 0 to 9007199254740992, got '-1'"),
        ("after=%C2%B2", 400, "after: expected a whole number from 0 to 9007199254740992, got '²'"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(
    client: FlaskClient, query: str, status: int, detail: str
) -> None:
    reply = client.get(f"/hooks/log?{query}")

    assert reply.mimetype == "application/problem+json"
    assert reply.json is not None
    assert (reply.status_code, reply.json["detail"]) == (status, detail)


def test_a_reload_says_which_workers_it_concerns(bench: Bench, client: FlaskClient) -> None:
    pid = bench.runner.status()[0].pid

    reply = client.post("/hooks/reload?hook=bench_hook")

    assert reply.status_code == 202
    assert reply.json is not None
    assert [(each["worker"], each["loading"]) for each in reply.json["workers"]] == [(1, True)]
    again = client.post("/hooks/reload")
    assert again.status_code == 429
    assert again.headers["Retry-After"] in ("1", "2")
    wait_until("another process", lambda: bench.runner.status()[0].pid != pid)


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "http://localhost:8000", "http://localhost.evil", "null", ""]
)
def test_the_page_of_another_site_loads_nothing(
    bench: Bench, client: FlaskClient, origin: str
) -> None:
    reply = client.post("/hooks/reload", headers={"Origin": origin})

    assert reply.status_code == 403
    assert reply.json is not None
    assert reply.json["detail"].startswith("origin: expected a program or the receiver's own page")
    assert not bench.runner.status()[0].loading


@pytest.mark.parametrize("origin", ["http://localhost", "https://LOCALHOST"])
def test_our_own_page_may(client: FlaskClient, origin: str) -> None:
    assert client.post("/hooks/reload", headers={"Origin": origin}).status_code == 202


def test_a_hook_that_does_not_run_here_is_not_found(client: FlaskClient) -> None:
    reply = client.post("/hooks/reload?hook=other")

    assert reply.status_code == 404
    assert reply.json is not None
    assert reply.json["detail"] == "hook: expected one of bench_hook; got 'other'"


def test_without_hooks_there_is_nothing_to_load_and_nothing_to_read() -> None:
    client = serve(Runner(HubFeeds(Hub()), []))

    assert client.post("/hooks/reload").status_code == 404
    named = client.post("/hooks/reload?hook=x").json
    assert named is not None
    assert named["detail"] == "hook: none runs in this process; got 'x'"
    log = client.get("/hooks/log").json
    assert log is not None
    assert log["lines"] == []


def test_a_worker_has_the_same_routes() -> None:
    config = WorkerConfig.load(["--bus", "redis://127.0.0.1:1/0", "--hook", "hooks.brightness"])
    rules = {rule.rule for rule in Worker(config).app.url_map.iter_rules()}

    assert {"/hooks", "/hooks/log", "/hooks/reload"} <= rules


def test_a_hook_in_a_thread_is_a_conflict(bench: Bench) -> None:
    bench.write("def process(frame):\n    return 1")

    reply = serve(bench.start(isolation="thread")).post("/hooks/reload")

    assert reply.status_code == 409
    assert reply.json is not None
    assert reply.json["detail"].endswith("restart the receiver")
