"""The way to Redis: which URLs there are, and where they lead."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from receiver.bus.link import BusDown, Link, check_url
from tests.conftest import MakeFrame
from tests.program import Command
from tests.receiver.bench import wait_until
from tests.receiver.bus.ends import ReceiverEnd, Stage
from tests.redis_server import RedisServer
from tests.sender.doubles import free_port


@pytest.mark.parametrize(
    "url",
    [
        "redis://host:6379/0",
        "rediss://user:pass@host:6380/1",
        "unix:///run/redis.sock",
        "redis+cluster://host:7000",
        "redis+sentinel://:pass@one:26379,two:26379/service/0",
    ],
)
def test_a_redis_url_is_taken(url: str) -> None:
    assert check_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        *("http://host", "host:6379", "redis+sentinel://host:26379", "redis://host:port"),
        *("redis+sentinel://host/service", "redis+sentinel://one:1,:2/service"),
        *("redis+sentinel://host:1/service/first", "unix+cluster:///run/redis.sock"),
        *("redis://host/0?foo=bar", "redis://host/0?decode_responses=true"),
        *("redis://host/0?protocol=3", "redis://host/0?socket_timeout=30"),
        *("redis://a..b:6379/0", f"redis://{'a' * 70}:6379/0", "redis://:se/cret@host:6379/0"),
    ],
)
def test_another_one_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"expected|label") as caught:
        check_url(url)
    assert "cret" not in str(caught.value)


def test_a_cluster_that_is_not_there_is_waited_for() -> None:
    link = Link(f"redis+cluster://127.0.0.1:{free_port()}")

    with pytest.raises(BusDown):
        link.probe(lambda client: client.ping())

    assert link.problem is not None
    link.close()


def test_what_fails_is_down_until_a_probe_succeeds(redis_server: RedisServer) -> None:
    link = Link(redis_server.url)
    with pytest.raises(BusDown, match="not connected yet"):
        link.call(lambda client: client.ping())

    assert link.probe(lambda client: client.ping())

    assert link.call(lambda client: client.ping())
    redis_server.stop()
    with pytest.raises(BusDown):
        link.call(lambda client: client.ping())
    assert link.problem is not None
    assert link.outages == 1
    link.close()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[RedisServer]:
    """A cluster of one: it has all slots, and refuses commands whose keys are in several."""
    # By default its second port is 10,000 above the first, which may be none at all.
    options = ["--cluster-enabled", "yes", "--cluster-port", str(free_port())]
    with RedisServer(*options, "--dir", str(tmp_path)) as server:
        client: Any = server.client()
        client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        wait_until("the cluster", lambda: client.cluster("info")["cluster_state"] == "ok")
        yield server


def test_a_cluster_carries_the_bus(
    cluster: RedisServer, tmp_path: Path, make_frame: MakeFrame
) -> None:
    url = cluster.url.replace("redis://", "redis+cluster://").removesuffix("/0")
    stage = Stage(url, tmp_path, make_frame)
    try:
        first, second = stage.receiver(), stage.receiver()
        stage.worker(
            """
            class Echo:
                stateful = True
                def process(self, frame):
                    return frame.seq
            """,
            "Echo",
        )
        stage.meet(first, 1)

        for camera in ("cam1", "cam2", "cam3"):
            assert first.ask(camera).value == 0
        assert first.ask(every=True).value == 1
        second.camera().glance()
        shown = second.camera().latest.reader().get(10)
        assert shown is not None
    finally:
        stage.close()


def test_a_sentinel_leads_to_the_bus(
    redis_server: RedisServer, tmp_path: Path, make_frame: MakeFrame
) -> None:
    config, port = tmp_path / "sentinel.conf", free_port()
    config.write_text(f"port {port}\nsentinel monitor main 127.0.0.1 {redis_server.port} 1\n")
    with Command("redis-server", str(config), "--sentinel") as sentinel:
        sentinel.wait_for("monitor master main")
        url = f"redis+sentinel://127.0.0.1:{port}/main"
        receiver = ReceiverEnd(url, make_frame)
        try:
            wait_until("the bus", lambda: receiver.bus.problem is None)
        finally:
            receiver.close()


def test_a_unix_socket_leads_to_the_bus(tmp_path: Path, make_frame: MakeFrame) -> None:
    path = tmp_path / "redis.sock"
    with RedisServer(socket=path):
        receiver = ReceiverEnd(f"unix://{path}", make_frame)
        try:
            wait_until("the bus", lambda: receiver.bus.problem is None)
        finally:
            receiver.close()
