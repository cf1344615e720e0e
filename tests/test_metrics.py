"""The table of docs/metrics.md against running programs, and what no client can do to them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import requests

from tests import exposed, metrics_table
from tests.conftest import MakeFrame
from tests.exposed import Exposed
from tests.program import Program, Receiver
from tests.receiver.bench import wait_until
from tests.redis_server import RedisServer


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Exposed]]:
    """Run every program with all that has metrics, and return what they expose together."""
    with ExitStack() as stack:
        redis = stack.enter_context(RedisServer())
        more: tuple[str, ...] = ("--result-webhook", "http://127.0.0.1:9/")
        more += ("--record", str(tmp_path_factory.mktemp("recordings")))
        receiver = stack.enter_context(
            Receiver("--bus", redis.url, "--listen", f"{redis.url}?topic=img0", *more)
        )
        worker = stack.enter_context(
            Program("receiver.worker", "--port", "0", "--bus", redis.url, "--hook", "hooks.edges")
        )
        worker.wait_for("is ready")
        source = ("--source", "testsrc", "--fps", "10", "--to", receiver.url)
        spool = ("--delivery", "every", "--spool", str(tmp_path_factory.mktemp("spool")))
        sender = stack.enter_context(Program("sender", *source, *spool, "--status-port", "0"))
        port = sender.wait_for(r"http://127\.0\.0\.1:(\d+)/status")[1]
        worker_port = worker.wait_for(r"listening on [^ ]*:(\d+);")[1]
        places = [receiver.url, f"http://127.0.0.1:{worker_port}", f"http://127.0.0.1:{port}"]
        requests.post(f"{receiver.url}/cameras/cam1/frames", b"no picture", timeout=30)

        def processed() -> bool:
            cameras = requests.get(f"{receiver.url}/cameras", timeout=30).json()["cameras"]
            return any(camera["processed"] for camera in cameras)

        wait_until("frames at the hook", processed, seconds=30)
        yield {name: each for place in places for name, each in exposed.ask(place).items()}


def test_every_metric_that_is_exposed_is_in_the_table(found: dict[str, Exposed]) -> None:
    assert set(found) - set(metrics_table.rows()) == set(), "add it to docs/metrics.md"


def test_every_metric_in_the_table_is_exposed(found: dict[str, Exposed]) -> None:
    assert set(metrics_table.rows()) - set(found) == set()


def test_types_and_labels_are_those_of_the_table(found: dict[str, Exposed]) -> None:
    rows = metrics_table.rows()
    wrong = [
        (name, each.kind, [sorted(labels) for labels in each.labels])
        for name, each in found.items()
        if name in rows
        and (each.kind != rows[name].kind or each.labels - {rows[name].labels} != set())
    ]

    assert wrong == []


def test_queries_in_the_text_name_metrics_of_the_table() -> None:
    queries = metrics_table.queries()

    assert len(queries) > 15
    for query in queries:
        assert metrics_table.named(query) <= metrics_table.series(), query


def test_no_client_makes_series_without_end(make_frame: MakeFrame) -> None:
    picture = make_frame(1).data
    jpeg = {"Content-Type": "image/jpeg"}

    def be_hostile(url: str) -> None:
        word = secrets.token_hex(8)
        requests.post(f"{url}/cameras/{word}/frames", picture, headers=jpeg, timeout=30)
        requests.post(f"{url}/cameras/{word}%20{{/frames", picture, headers=jpeg, timeout=30)
        requests.post(f"{url}/cameras/{word}/frames", word.encode(), headers=jpeg, timeout=30)
        requests.post(f"{url}/cameras/{word}/stream", word.encode(), timeout=30)
        requests.post(f"{url}/image_post?camera={word}", {"img": word}, timeout=30)
        requests.post(f"{url}/v2/models/{word}/infer", word.encode(), timeout=30)
        requests.request(word.upper(), f"{url}/cameras/cam1/frames", timeout=30)
        for path in (f"{word}", f"cameras/{word}", f"cameras/{word}/{word}", f"static/{word}"):
            requests.get(f"{url}/{path}?{word}={word}", timeout=30)
        requests.get(f"{url}/cameras/{word}/frame.jpg?width={word}", timeout=30)
        requests.put(f"{url}/cameras/{word}/control", word.encode(), timeout=30)

    def series(url: str) -> dict[str, int]:
        return {name: each.series for name, each in exposed.ask(url).items()}

    # Each request on a connection of its own: what is refused unread ends a kept one.
    with Receiver("--max-cameras", "2") as receiver:
        for _ in range(4):  # more than there may be cameras
            be_hostile(receiver.url)
        exposed.ask(receiver.url)  # which is a request too
        before = series(receiver.url)
        for _ in range(20):
            be_hostile(receiver.url)

        assert series(receiver.url) == before
