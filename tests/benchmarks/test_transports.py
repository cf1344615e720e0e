from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, closing
from itertools import islice
from typing import cast

import pytest

from benchmarks import carriers, transports
from benchmarks.measuring import ways
from benchmarks.measuring.pairs import Pair
from benchmarks.measuring.program import Program
from benchmarks.measuring.ways import Way
from benchmarks.programs.carrying import connect
from benchmarks.rivals import options
from sender.carriers.contract import Transport
from sender.carriers.redis_carrier import RedisCarrier
from sender.stream_client import StreamClient
from shared import pattern
from shared.codec import Image
from shared.http_client import HttpClient


def nothing(
    stack: ExitStack, environment: Mapping[str, str], sending: Sequence[str]
) -> list[Program]:
    return []


@pytest.mark.parametrize(
    "contest", [carriers.WAYS, transports.WAYS], ids=["carriers", "transports"]
)
def test_every_way_has_a_name_of_its_own_that_tells_whose_it_is(contest: Sequence[Way]) -> None:
    names = [way.name for way in contest]

    assert len(set(names)) == len(names)
    assert all(name.startswith(("Framepost", "classic", "imageZMQ")) for name in names)


def test_a_way_that_cannot_run_is_left_out_and_said_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lacking = Pair("x", "classic", ("no_such_package",))
    three = [Way("a", nothing, lacking), Way("b", nothing), Way("c", nothing, lacking)]

    assert [way.name for way in ways.present(three)] == ["b"]
    assert capsys.readouterr().out.count("no_such_package: not installed") == 1


def test_the_cpu_of_a_frame_is_that_of_all_processes() -> None:
    assert ways.cpu_of({"cpu_us_per_frame": {"sender": 3, "redis": 4, "receiver": 5}}) == 12


@pytest.mark.parametrize(
    ("to", "transport", "kind"),
    [
        ("http://127.0.0.1:1", "post", HttpClient),
        ("http://127.0.0.1:1", "stream", StreamClient),
        ("redis://127.0.0.1:1", "post", RedisCarrier),
    ],
)
def test_each_carrier_is_the_sender_s_own(to: str, transport: Transport, kind: type) -> None:
    endpoint, client = connect(to, transport=transport, encoding="raw")

    assert type(client) is kind
    assert (endpoint.host, endpoint.port) == ("127.0.0.1", 1)


def test_pictures_at_a_steady_rate_have_the_time_at_which_they_were_due() -> None:
    arguments = Namespace(source=None, clip=None, size="160x120", fps=50.0, live=False)

    marks = [pattern.read(image) for image in islice(options.pictures(arguments), 6)]

    times = [mark.time for mark in marks if mark is not None]
    assert [mark and mark.number for mark in marks] == list(range(6))
    assert 0.08 < times[-1] - times[0] < 0.5


def test_of_a_live_camera_s_pictures_who_was_slow_gets_the_newest() -> None:
    arguments = Namespace(source=None, clip=None, size="160x120", fps=50.0, live=True)

    with closing(cast(Generator[Image], options.pictures(arguments))) as pictures:
        first = pattern.read(next(pictures))
        time.sleep(0.3)
        newest = pattern.read(next(pictures))

    assert first is not None
    assert newest is not None
    # Fifty were drawn a second; whoever gets each would get the second one now.
    assert newest.number > first.number + 1
