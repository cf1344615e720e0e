from __future__ import annotations

import gc
import json
import threading
import tracemalloc
from typing import Any

import pytest

from receiver.feeds.journal import Journal
from receiver.hub import Hub
from shared.frame import EncodedFrame
from tests.conftest import MakeFrame
from tests.receiver.feeds.conftest import MakeResult


def numbers(journal: Journal) -> list[int]:
    return [journal.entry(n).number for n in range(journal.first, journal.last + 1)]


def test_results_are_numbered_in_the_order_in_which_they_come(make_result: MakeResult) -> None:
    journal = Journal()
    assert (journal.first, journal.last) == (1, 0)

    for camera in "aba":
        journal.finished(make_result(camera=camera))

    assert numbers(journal) == [1, 2, 3]
    assert [journal.entry(n).camera for n in (1, 2, 3)] == ["a", "b", "a"]


def test_an_entry_is_the_results_facts_in_one_line_of_json(make_result: MakeResult) -> None:
    journal = Journal()
    result = make_result(7, value={"a": "</script>\r\n\u2028\ud800", "b": [1.5, None]})
    journal.finished(result)

    data = journal.entry(1).data

    assert json.loads(data) == result.facts()
    assert len(data.splitlines()) == len(data.decode().splitlines()) == 1


def test_an_entry_is_encoded_once_and_only_when_somebody_asks(
    make_result: MakeResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded: list[Any] = []
    dumps = json.dumps

    def count(value: Any, **options: Any) -> str:
        encoded.append(value)
        return dumps(value, **options)

    monkeypatch.setattr(json, "dumps", count)
    journal = Journal()
    for seq in range(3):
        journal.finished(make_result(seq))
    assert encoded == []

    start = threading.Barrier(20)

    def read() -> None:
        start.wait(60)
        assert journal.entry(2).data

    threads = [threading.Thread(target=read) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [facts["seq"] for facts in encoded] == [1]


def test_the_oldest_make_room_when_there_are_too_many(make_result: MakeResult) -> None:
    journal = Journal(limit=3)
    for seq in range(5):
        journal.finished(make_result(seq))

    assert numbers(journal) == [3, 4, 5]


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("x" * 10_000, id="a long text"),
        pytest.param([0.5] * 1000, id="many numbers"),
        pytest.param([{"box": [1, 2]}] * 100, id="many objects"),
        pytest.param([[[None, True]]] * 100, id="many lists"),
        pytest.param([1, "x" * 9000], id="a long text behind a number"),
    ],
)
def test_the_oldest_make_room_when_they_weigh_too_much(
    value: object, make_result: MakeResult
) -> None:
    journal = Journal(max_bytes=120_000)
    for seq in range(20):
        journal.finished(make_result(seq))
    assert len(numbers(journal)) == 20

    for _ in range(20):
        journal.finished(make_result(value=value))

    assert 1 <= len(numbers(journal)) < 20
    assert journal.last == 40


def test_a_result_that_alone_weighs_too_much_leaves_the_journal_in_order(
    make_result: MakeResult,
) -> None:
    journal = Journal(max_bytes=5000)
    journal.finished(make_result(value="x" * 9000))
    assert numbers(journal) == []
    journal.finished(make_result(1))
    assert numbers(journal) == [2]


def test_no_pictures_are_held_but_each_cameras_newest(make_result: MakeResult) -> None:
    journal = Journal()
    for seq in range(50):
        journal.finished(make_result(seq, camera=f"cam{seq % 2}"))

    seen: set[int] = set()
    frames = 0
    found: list[object] = [journal]
    while found:
        item = found.pop()
        if id(item) in seen or isinstance(item, type):
            continue
        seen.add(id(item))
        frames += isinstance(item, EncodedFrame)
        found += gc.get_referents(item)
    assert frames == 2


def test_the_newest_is_of_the_newest_frame_not_of_the_last_answer(
    make_result: MakeResult,
) -> None:
    journal = Journal()
    for seq, camera in [(0, "a"), (2, "a"), (1, "a"), (5, "b")]:
        journal.finished(make_result(seq, camera=camera))

    assert [json.loads(entry.data)["seq"] for entry in journal.newest()] == [2, 5]
    assert [entry.camera for entry in journal.newest({"b", "c"})] == ["b"]


def test_a_forgotten_camera_has_no_newest_result(make_result: MakeResult) -> None:
    journal = Journal()
    journal.finished(make_result(camera="a"))
    journal.forgotten("a")
    journal.forgotten("b")

    assert journal.newest() == []


def test_how_many_results_a_camera_had_is_known_for_longer_than_they_are_held(
    make_result: MakeResult,
) -> None:
    journal = Journal(limit=1)
    for camera in "aabab":
        journal.finished(make_result(camera=camera))

    assert journal.count(0, 5, {"a"}) == 3
    assert journal.count(1, 4, {"a"}) == 2
    assert journal.count(1, 4, {"a", "b"}) == journal.count(1, 4) == 3
    assert journal.count(5, 5, {"a"}) == 0


def test_a_result_that_made_room_leaves_nothing_behind(
    make_result: MakeResult,
) -> None:
    journal = Journal(limit=10)
    for _ in range(10):
        journal.finished(make_result())
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(3000):
            # As each request brings it: the same name, another text.
            journal.finished(make_result(camera="".join(["cam", "1"])))
        left = (tracemalloc.get_traced_memory()[0] - before) / 3000
    finally:
        tracemalloc.stop()

    assert journal.count(0, 3010, {"cam1"}) == 3010
    assert left < 4


def test_an_id_is_known_again_and_a_strangers_is_not(make_result: MakeResult) -> None:
    journal, other = Journal(), Journal()
    journal.finished(make_result())

    assert journal.parse_id(journal.format_id(1)) == 1
    assert journal.parse_id(journal.format_id(0)) == 0
    for text in [other.format_id(1), journal.format_id(2), journal.format_id(-1), "", "1", "ü-1"]:
        assert journal.parse_id(text) is None
    for digits in ["", "x", "٣", "1" * 5000, " 1", "1.0"]:
        assert journal.parse_id(journal.format_id(0)[:-1] + digits) is None


def test_it_hears_of_every_result_and_of_the_end_from_the_hub(
    make_frame: MakeFrame, make_result: MakeResult
) -> None:
    journal = Journal()
    hub = Hub(observers=[Journal(), journal], max_cameras=1)
    hub.publish(make_frame())
    camera = hub.get("cam1")
    assert camera is not None
    assert camera.pending.take() is not None
    camera.finish(make_result())
    assert numbers(journal) == [1]
    assert not journal.is_closed

    hub.close()
    assert journal.is_closed
