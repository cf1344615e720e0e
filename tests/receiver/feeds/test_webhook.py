from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from receiver.feeds.allow_list import AllowList
from receiver.feeds.backlog import Backlog
from receiver.feeds.journal import Journal
from receiver.feeds.webhook import Webhook
from receiver.feeds.webhooks import Webhooks
from shared.backoff import Backoff
from shared.http_client import NoReply, Reply
from tests.receiver.bench import wait_until
from tests.receiver.feeds.conftest import MakeResult
from tests.sender.doubles import FakeClient, PostServer, RawServer, free_port, http_reply, reply


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Line:
    """A journal, a webhook on it that is stepped by hand, and a clock that its pauses move on."""

    def __init__(self, make_result: MakeResult, client: Any, *, limit: int = 1000) -> None:
        self.journal = Journal()
        self.clock = Clock()
        self.pauses: list[float] = []
        self._make = make_result
        self.webhook = Webhook(
            "http://h:80",
            Backlog(self.journal, limit=limit),
            client,
            target="/hook",
            headers={"X-Framepost-Event": "result"},
            name_of=self.journal.format_id,
            tries=3,
            patience=30.0,
            backoff=Backoff(1.0, 4.0),
            clock=self.clock,
        )
        self.webhook.pause = self._pause  # type: ignore[method-assign]

    def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.clock.now += seconds

    def write(self, count: int = 1) -> None:
        for _ in range(count):
            self.journal.finished(self._make(self.journal.last))

    def work_off(self) -> None:
        """Step until nothing waits."""
        for _ in range(1000):
            if not self.webhook.status().waiting:
                return
            self.webhook.step()
        raise AssertionError(f"there is no end: {self.webhook.status()}")


def sequence(client: FakeClient) -> list[int]:
    return [json.loads(body)["seq"] for _, body, _ in client.posts]


def no_reply(reason: Any = "connect") -> NoReply:
    return NoReply("no connection: Connection refused", reason=reason)


def test_results_are_posted_as_json_in_order(make_result: MakeResult) -> None:
    client = FakeClient(reply(200), reply(204), reply(202))
    line = Line(make_result, client)
    line.write(3)
    line.work_off()

    assert sequence(client) == [0, 1, 2]
    target, body, headers = client.posts[2]
    assert target == "/hook"
    assert json.loads(body) == make_result(2).facts() | {"timings": json.loads(body)["timings"]}
    assert headers == {
        "X-Framepost-Event": "result",
        "Idempotency-Key": line.journal.format_id(3),
    }
    status = line.webhook.status()
    assert (status.sent, status.waiting, status.dropped, status.state) == (3, 0, {}, "ok")


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(no_reply(), id="no connection"),
        pytest.param(no_reply("timeout"), id="no answer"),
        *(pytest.param(reply(s), id=str(s)) for s in (408, 425, 429, 500, 502, 503, 599)),
    ],
)
def test_a_server_that_is_away_or_busy_is_tried_again_with_the_same_result(
    trouble: Any, make_result: MakeResult
) -> None:
    client = FakeClient(trouble, trouble)
    line = Line(make_result, client)
    line.write(2)
    line.webhook.step()
    assert line.webhook.status().state == "retrying"
    line.work_off()

    assert sequence(client) == [0, 0, 0, 1]
    keys = [headers["Idempotency-Key"] for _, _, headers in client.posts]
    assert keys[0] == keys[1] == keys[2] != keys[3]
    assert 0.5 <= sum(line.pauses[:1]) <= 1.0
    assert line.webhook.status().sent == 2


def test_what_was_tried_too_often_is_dropped_and_the_next_has_its_turn(
    make_result: MakeResult,
) -> None:
    client = FakeClient(*[no_reply()] * 4)
    line = Line(make_result, client)
    line.write(2)
    line.work_off()

    assert sequence(client) == [0, 0, 0, 1, 1]
    status = line.webhook.status()
    assert (status.sent, status.dropped) == (1, {"undelivered": 1})


def test_what_was_tried_for_too_long_is_dropped(make_result: MakeResult) -> None:
    client = FakeClient(reply(503, Retry_After="20"), reply(503, Retry_After="20"))
    line = Line(make_result, client)
    line.write(2)
    line.work_off()

    # Its third try would be after 40 s.
    assert sequence(client) == [0, 0, 1]
    assert line.webhook.status().dropped == {"undelivered": 1}
    assert line.clock.now >= 140


def test_the_pause_that_a_server_asks_for_is_kept(make_result: MakeResult) -> None:
    line = Line(make_result, FakeClient(reply(429, Retry_After="7")))
    line.write()
    line.work_off()

    assert 7 <= sum(line.pauses) <= 8.75
    assert max(line.pauses) <= 1.0  # a stop is noticed meanwhile


def test_a_server_that_stays_away_is_not_hammered(make_result: MakeResult) -> None:
    client = FakeClient(*[no_reply()] * 30)
    line = Line(make_result, client)
    line.write(10)
    line.work_off()

    assert len(client.posts) == 30
    assert sum(line.pauses) >= 28 * 1  # the backoff goes on from one result to the next


@pytest.mark.parametrize("status", [400, 401, 404, 410, 422])
def test_what_a_server_refuses_is_dropped_at_once(status: int, make_result: MakeResult) -> None:
    client = FakeClient(reply(status, b"go away"))
    line = Line(make_result, client)
    line.write(2)
    line.webhook.step()
    assert line.webhook.status().state == "refused"
    line.work_off()

    assert sequence(client) == [0, 1]
    assert line.webhook.status().dropped == {"refused": 1}
    # What is wrong with one result is no reason to wait; with a URL, it is.
    assert bool(line.pauses) == (status not in (400, 422))


def test_a_redirect_is_not_followed_and_its_aim_is_told_without_a_password(
    make_result: MakeResult, caplog: pytest.LogCaptureFixture
) -> None:
    aim = "http://me:canary@elsewhere/x?token=canary"
    client = FakeClient(*[reply(307, Location=aim)] * 3)
    line = Line(make_result, client)
    line.write(3)
    line.work_off()

    assert sequence(client) == [0, 1, 2]
    assert line.webhook.status().dropped == {"redirect": 3}
    assert [record.getMessage() for record in caplog.records] == [
        "webhook http://h:80: redirects to 'http://***@elsewhere/x?token=***' (307), which is not "
        "followed; name that URL in RECEIVER_RESULT_WEBHOOK if it is meant"
    ]


def test_trouble_is_told_once_and_so_is_its_end(
    make_result: MakeResult, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    line = Line(make_result, FakeClient(*[no_reply()] * 5))
    line.write(4)
    line.work_off()
    line.clock.now += 5
    line.write(2)
    line.work_off()

    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 2
    assert told[0] == (
        "webhook http://h:80: gives no answer (no connection: Connection refused), trying again"
    )
    assert told[1].startswith("webhook http://h:80: results are taken again after ")


def test_when_too_many_wait_the_oldest_are_dropped(make_result: MakeResult) -> None:
    client = FakeClient(no_reply())
    line = Line(make_result, client, limit=3)
    line.write()
    line.webhook.step()
    line.write(10)
    assert line.webhook.status().waiting == 4  # one is at hand
    line.work_off()

    assert sequence(client) == [0, 0, 8, 9, 10]
    status = line.webhook.status()
    assert (status.sent, status.dropped) == (4, {"overflow": 7})


def test_results_from_before_its_time_are_not_posted(make_result: MakeResult) -> None:
    journal = Journal()
    journal.finished(make_result())
    backlog = Backlog(journal)

    assert backlog.take(0.0) is None
    assert backlog.counts() == (0, 0)


def test_a_backlog_that_was_woken_waits_no_more(make_result: MakeResult) -> None:
    journal = Journal()
    backlog = Backlog(journal)
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(backlog.take(60)))
    thread.start()
    backlog.wake()
    thread.join(30)
    assert found == [None]

    assert backlog.take(60) is None
    journal.finished(make_result())
    assert backlog.take(60) is not None


def test_what_cannot_be_sent_within_the_grace_is_dropped(make_result: MakeResult) -> None:
    class SlowClient(FakeClient):
        def post(
            self,
            target: str,
            body: bytes,
            headers: Mapping[str, str],
            *,
            sent: Callable[[], object] | None = None,
        ) -> Reply:
            line.clock.now += 0.4
            return super().post(target, body, headers, sent=sent)

    client = SlowClient()
    line = Line(make_result, client)
    line.write(9)
    line.webhook.step()
    line.webhook.wake()
    line.webhook.close()

    assert sequence(client) == [0, 1, 2, 3]
    status = line.webhook.status()
    assert (status.sent, status.dropped, status.waiting) == (4, {"stopped": 5}, 0)


# With real servers and threads.


@contextmanager
def started(
    journal: Journal, *urls: str, token: str | None = None, allow: tuple[str, ...] = ()
) -> Iterator[Webhooks]:
    webhooks = Webhooks(journal, urls, token=token, allow=AllowList(allow))
    webhooks.start()
    try:
        yield webhooks
    finally:
        webhooks.stop()
        assert webhooks.error is None


def sums(webhooks: Webhooks) -> list[int]:
    return [s.sent + sum(s.dropped.values()) + s.waiting for s in webhooks.status()]


def test_each_url_gets_every_result_whatever_becomes_of_the_others(
    make_result: MakeResult,
) -> None:
    journal = Journal()
    with (
        PostServer() as good,
        PostServer(lambda _: http_reply("500 Broken")) as bad,
        started(
            journal, good.url + "/a?b=c", bad.url, f"http://127.0.0.1:{free_port()}"
        ) as webhooks,
    ):
        for seq in range(50):
            journal.finished(make_result(seq))
        good.wait_for(50)
        wait_until("the books", lambda: webhooks.status()[0].sent == 50)
        status = webhooks.status()
        assert [one.state for one in status] == ["ok", "retrying", "retrying"]
        assert sums(webhooks) == [50, 50, 50]
    assert [json.loads(body)["seq"] for _, _, body in good.requests] == list(range(50))
    line, headers, _ = good.requests[0]
    assert line == "POST /a?b=c HTTP/1.1"
    assert headers["content-type"] == "application/json"
    assert headers["x-framepost-event"] == "result"
    assert headers["idempotency-key"] == journal.format_id(1)
    assert "authorization" not in headers
    assert good.connections == 1


def test_a_token_is_sent_and_shown_nowhere(
    make_result: MakeResult, caplog: pytest.LogCaptureFixture
) -> None:
    journal = Journal()
    with (
        PostServer(lambda _: http_reply("401 No")) as server,
        started(
            journal,
            server.url.replace("://", "://me:canary@") + "/canary?key=canary",
            server.url.replace("://", "://me:canary@"),
            token="canary",
        ) as webhooks,
    ):
        journal.finished(make_result())
        server.wait_for(2)
        wait_until("the books", lambda: all(one.dropped for one in webhooks.status()))
        status = webhooks.status()
        metrics = str([*webhooks.collect()])
    assert [one.webhook for one in status] == [server.url, f"{server.url} #2"]
    assert {headers["authorization"] for _, headers, _ in server.requests} == {"Bearer canary"}
    assert "canary" not in repr(status) + metrics + caplog.text + repr(webhooks)
    assert len(caplog.records) == 2


def test_a_password_in_the_url_is_sent_as_basic_authorization(make_result: MakeResult) -> None:
    journal = Journal()
    with (
        PostServer() as server,
        started(journal, server.url.replace("://", "://me:secret@")),
    ):
        journal.finished(make_result())
        server.wait_for(1)
    assert server.requests[0][1]["authorization"] == "Basic bWU6c2VjcmV0"


def test_an_address_that_is_not_allowed_gets_nothing(
    make_result: MakeResult, caplog: pytest.LogCaptureFixture
) -> None:
    journal = Journal()
    with (
        PostServer() as server,
        started(journal, server.url, allow=("10.0.0.0/8",)) as webhooks,
    ):
        journal.finished(make_result())
        wait_until("the books", lambda: webhooks.status()[0].dropped == {"forbidden": 1})
        assert server.connections == 0
    assert [record.getMessage() for record in caplog.records] == [
        f"webhook {server.url}: is not posted to: 127.0.0.1 is an address that is not allowed; "
        "see RECEIVER_WEBHOOK_ALLOW"
    ]


def test_a_stop_sends_what_waits(make_result: MakeResult) -> None:
    journal = Journal()
    release = threading.Event()

    def answer(number: int) -> bytes:
        if number == 0:
            assert release.wait(30)
        return http_reply()

    with PostServer(answer) as server, started(journal, server.url) as webhooks:
        for seq in range(5):
            journal.finished(make_result(seq))
        server.wait_for(1)
        stopping = threading.Thread(target=webhooks.stop)
        stopping.start()
        release.set()
        stopping.join(30)

        assert webhooks.status()[0].sent == 5
        assert sums(webhooks) == [5]


@pytest.mark.parametrize("kind", ["silent", "refusing"])
def test_a_stop_does_not_wait_for_a_server_that_takes_nothing(
    kind: str, make_result: MakeResult, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    journal = Journal()
    over = threading.Event()

    def hold(_connection: Any, _number: int) -> None:
        over.wait(60)

    def refuse(connection: Any, _number: int) -> None:
        connection.recv(65536)
        connection.sendall(http_reply("503 Busy", b"", "Retry-After: 60"))

    with RawServer(hold if kind == "silent" else refuse) as server:
        url = f"http://127.0.0.1:{server.port}"
        with started(journal, url) as webhooks:
            for seq in range(5):
                journal.finished(make_result(seq))
            wait_until("a connection", lambda: server.connections)
            before = time.monotonic()
            webhooks.stop()
            took = time.monotonic() - before
            status = webhooks.status()[0]
        over.set()

    assert took < 4
    assert status.dropped == {"stopped": 5}
    assert caplog.messages[-1] == f"webhook {url}: ends with 5 results unsent"


def test_a_stop_ends_a_long_pause(make_result: MakeResult) -> None:
    client = FakeClient(reply(503, Retry_After="60"), reply(503, Retry_After="60"))
    journal = Journal()
    webhook = Webhook("http://h:80", Backlog(journal), client, target="/", headers={})
    journal.finished(make_result())
    with webhook:
        assert client.posted.wait(30)

    assert not webhook.alive
    assert len(client.posts) == 2  # once more at the end
    assert client.calls[-1] == "close"
    assert webhook.status().dropped == {"stopped": 1}


def answer_with(status: str, *headers: str) -> Callable[[int], bytes]:
    return lambda number: http_reply(status, b"", *headers) if number == 0 else http_reply()


def test_a_real_server_that_was_busy_gets_the_result_again(make_result: MakeResult) -> None:
    journal = Journal()
    with PostServer(answer_with("503 Busy")) as server, started(journal, server.url) as webhooks:
        journal.finished(make_result(7))
        server.wait_for(2)
        wait_until("the books", lambda: webhooks.status()[0].sent == 1)
    assert server.requests[0][2] == server.requests[1][2]


def test_a_real_redirect_leads_nowhere(make_result: MakeResult) -> None:
    journal = Journal()
    with (
        PostServer() as other,
        PostServer(answer_with("302 Found", f"Location: {other.url}/")) as server,
        started(journal, server.url) as webhooks,
    ):
        journal.finished(make_result())
        journal.finished(make_result(1))
        server.wait_for(2)
        wait_until("the books", lambda: webhooks.status()[0].sent == 1)
        assert webhooks.status()[0].dropped == {"redirect": 1}
        assert other.connections == 0
