from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

from sender.books import Ledger
from sender.endpoint import Endpoint
from sender.poster import Poster
from sender.reader import CapturedFrame
from sender.turn import Turn
from shared.http_client import HttpClient
from shared.latest import Latest
from tests.sender.doubles import FakePicture, PostServer, RawServer, http_reply


class Window:
    """Posters that share a slot, a turn and the books, and how a reader feeds them."""

    def __init__(self, port: int, posters: int) -> None:
        self.slot: Latest[CapturedFrame] = Latest()
        place = self.slot.reader()
        self.place = place
        self.ledger = Ledger(place)
        self.turn = Turn()
        self.posters = [
            Poster(
                "cam1",
                place,
                HttpClient("127.0.0.1", port),
                endpoint=Endpoint.parse(f"http://127.0.0.1:{port}", "cam1"),
                ledger=self.ledger,
                turn=self.turn,
                rank=rank,
            )
            for rank in range(posters)
        ]
        self._seq = count()

    def put(self, data: bytes = b"jpeg") -> None:
        self.slot.put(
            CapturedFrame(
                camera="cam1",
                epoch="e1",
                seq=next(self._seq),
                captured=time.monotonic(),
                picture=FakePicture(data),
            )
        )

    def end(self) -> None:
        self.slot.close()
        for poster in self.posters:
            assert poster.join(30)


@contextmanager
def window(port: int, posters: int) -> Iterator[Window]:
    made = Window(port, posters)
    for poster in made.posters:
        poster.start()
    yield made
    made.end()


def seqs(server: PostServer) -> list[int]:
    return [int(headers["x-frame-seq"]) for _, headers, _ in server.requests]


def test_one_at_a_time_has_it_and_gives_it_on() -> None:
    turn = Turn()

    assert turn.take(0, 1.0)
    assert not turn.take(1, 0.01)
    turn.give(1)  # not its own
    assert not turn.take(1, 0.01)
    turn.give(0)
    assert turn.take(1, 1.0)


def test_of_those_who_wait_the_lowest_rank_comes_first() -> None:
    turn = Turn()
    order: list[int] = []
    assert turn.take(9, 1.0)

    def wait(rank: int) -> None:
        assert turn.take(rank, 10.0)
        order.append(rank)
        turn.give(rank)

    threads = [threading.Thread(target=wait, args=(rank,)) for rank in (3, 1, 2)]
    for thread in threads:
        thread.start()
    while turn._waiting != {1, 2, 3}:
        time.sleep(0.001)
    turn.give(9)
    for thread in threads:
        thread.join(30)

    assert order == [1, 2, 3]


def test_one_that_gives_up_waiting_holds_up_nobody_behind_it() -> None:
    turn = Turn()
    assert turn.take(9, 1.0)
    taken: list[bool] = []
    first = threading.Thread(target=lambda: taken.append(turn.take(0, 0.2)))
    second = threading.Thread(target=lambda: taken.append(turn.take(1, 10.0)))
    first.start()
    second.start()
    first.join(30)
    turn.give(9)
    second.join(30)

    assert taken == [False, True]


def test_a_rest_holds_for_everybody() -> None:
    now = 100.0
    turn = Turn(clock=lambda: now)
    turn.rest(30.0)
    now += 29.9
    turn._changed.wait = lambda timeout=None: _pass(timeout)  # type: ignore[method-assign]

    def _pass(seconds: float | None) -> bool:
        nonlocal now
        now += seconds or 0.0
        return False

    assert not turn.take(1, 0.05)
    assert turn.take(0, 8.0)  # which jitter makes of it at most


def test_however_often_it_rested_it_looks_again_within_a_second() -> None:
    now = 100.0
    turn = Turn(clock=lambda: now)
    for _ in range(40):
        turn.rest()
        now += 1.0
        assert not turn.is_resting


def test_nobody_rests_before_there_was_a_reason() -> None:
    just_booted = Turn(clock=lambda: 0.5)

    assert not just_booted.is_resting


def test_a_rest_is_over_when_its_time_has_come() -> None:
    now = 100.0
    turn = Turn(clock=lambda: now)
    turn.rest()
    now = turn._rests_until - 0.001
    before = turn.is_resting
    now = turn._rests_until

    assert (before, turn.is_resting) == (True, False)
    assert turn.take(0, 1.0)


def test_who_waits_for_another_sleeps_meanwhile() -> None:
    now = 100.0
    turn = Turn(clock=lambda: now)
    waits: list[float | None] = []

    def sleep(timeout: float | None = None) -> bool:
        nonlocal now
        waits.append(timeout)
        assert timeout is not None
        assert timeout > 0
        now += timeout
        return False

    assert turn.take(9, 1.0)
    turn._changed.wait = sleep  # type: ignore[method-assign]

    assert not turn.take(1, 5.0)
    assert waits == [5.0]


def test_who_waits_behind_one_that_gave_up_has_it_as_soon_as_the_rest_is_over() -> None:
    turn = Turn()
    taken: list[bool] = []
    turn.rest(1.0)
    first = threading.Thread(target=lambda: taken.append(turn.take(0, 0.3)))
    first.start()
    while not turn._waiting and first.is_alive():
        time.sleep(0.001)
    assert turn.take(1, 30.0)
    first.join(30)

    assert taken == [False]


def test_the_next_frame_leaves_while_the_reply_to_the_last_is_on_its_way() -> None:
    third_came = threading.Event()

    def answer(number: int) -> bytes:
        if number == 1:
            assert third_came.wait(30)
        elif number == 2:
            third_came.set()
        return http_reply()

    with PostServer(answer) as server, window(server.port, 2) as posters:
        for number in range(3):
            posters.put()
            server.wait_for(number + 1)

    assert seqs(server) == [0, 1, 2]
    assert posters.ledger.books().posted == 3


def test_a_frame_has_the_line_to_itself_until_it_is_sent() -> None:
    read_on = threading.Event()

    def slow(connection: socket.socket, _: int) -> None:
        connection.recv(1000)
        assert read_on.wait(30)
        left = 20_000_000
        while left > 0 and (data := connection.recv(1 << 20)):
            left -= len(data)
        connection.sendall(http_reply())

    with RawServer(slow) as server:
        posters = Window(server.port, 3)
        for poster in posters.posters:
            poster.start()
        posters.put(b"x" * 20_000_000)
        assert posters.place.wait_until_taken(5)
        posters.put()
        posters.put()
        assert not posters.place.wait_until_taken(0.2), "taken while another was being sent"
        read_on.set()
        assert posters.place.wait_until_taken(5)
        for poster in posters.posters:
            poster.interrupt()
        posters.end()


def test_with_a_prompt_receiver_the_third_connection_is_never_made() -> None:
    with PostServer() as server, window(server.port, 4) as posters:
        for number in range(30):
            posters.put()
            server.wait_for(number + 1)
            while posters.ledger.books().posted <= number:
                time.sleep(0.001)

    assert seqs(server) == list(range(30))
    assert server.connections <= 2


def test_what_one_is_told_the_others_obey() -> None:
    with (
        PostServer(lambda _: http_reply("503 Busy", b"", "Retry-After: 60")) as server,
        window(server.port, 3) as posters,
    ):
        posters.put()
        server.wait_for(1)
        while not posters.ledger.books().refused:
            time.sleep(0.001)
        posters.put()
        assert not posters.place.wait_until_taken(0.5)
        for poster in posters.posters:
            poster.ask_to_stop()

    assert len(server.requests) == 1
