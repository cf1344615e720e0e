"""A line from two senders to one hook, stepped in any order, beside a plain model of it.

Real are the sender's slot, poster, turn and ledger, the envelope on the wire, and the receiver's
desk, hub, camera, order, pending frames and tickets. The network, the hook and the clock are the
machine's, and so is when a caller's wait ends: instead of waiting, it lets the hook work.

Camera `live` posts its newest frame, as the sender does. Camera `kept` loses none: it keeps each
frame until that is settled, as docs/protocol.md says under "Every frame, once or more".
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import astuple, dataclass, field
from email.message import Message
from typing import Any, Literal
from unittest.mock import patch

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from receiver.camera import Camera
from receiver.desk import Desk
from receiver.fate import Fate
from receiver.hub import Hub
from receiver.result import Result
from receiver.ticket import Ticket
from sender.books import Ledger
from sender.endpoint import Endpoint
from sender.poster import Poster
from sender.reader import CapturedFrame
from sender.turn import Turn
from shared import codec, pattern, wire
from shared.errors import FrameError
from shared.frame import EncodedFrame
from shared.http_client import NoReply, Reply
from shared.latest import Latest
from shared.seats import Seats

STEPS = 40
JPEG = codec.encode(pattern.draw(1, 64, 48), 50)
#: What the network does with a request. held: it comes later, when its sender has given up on it.
Fault = Literal["none", "lost", "no reply", "twice", "held"]
FAULTS: tuple[Fault, ...] = ("none", "none", "none", "lost", "no reply", "twice", "held")
#: What the hook does while a caller waits. stop: the receiver ends in good order, and cuts it off.
Work = Literal["nothing", "take", "process", "raise", "stop"]
WORK: tuple[Work, ...] = ("process", "process", "nothing", "take", "raise", "stop")
#: A frame's name: its sender's start, counted, and its number there.
Name = tuple[int, int]


class Broken(AssertionError):
    """The line and the model differ."""


def check(holds: bool, *facts: object) -> None:
    if not holds:
        raise Broken(*facts)


@dataclass
class Incarnation:
    """One life of the receiver, and what the model knows of it."""

    hub: Hub
    desk: Desk
    #: Requests that came, by camera; names that were taken; and those that a stop cut off.
    came: Counter[str] = field(default_factory=Counter)
    names: dict[str, set[Name]] = field(default_factory=lambda: {"live": set(), "kept": set()})
    abandoned: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    in_hook: list[tuple[Camera, EncodedFrame]] = field(default_factory=list)
    results: list[tuple[str, Name]] = field(default_factory=list)
    held: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    is_stopped: bool = False

    # As an observer of the hub:

    def received(self, frame: EncodedFrame) -> None: ...
    def finished(self, result: Result) -> None:
        self.results.append((result.frame.camera, name_of(result.frame)))

    def forgotten(self, camera: str) -> None: ...
    def closed(self) -> None: ...


def name_of(frame: EncodedFrame) -> Name:
    return int(frame.epoch[1:]), frame.seq


class Picture:
    width, height, held_bytes = 64, 48, len(JPEG)

    def to_jpeg(self, quality: int, size: tuple[int, int] | None = None) -> bytes:
        return JPEG

    def to_pixels(self, size: tuple[int, int]) -> codec.Image:
        return pattern.draw(1, *size)


class Line:
    """The poster's client: brings a request to the receiver, as far as the network lets it."""

    def __init__(self, machine: BooksMachine) -> None:
        self._machine = machine
        #: What happens to the next request, which is then made without harm again.
        self.fault: Fault = "none"

    def post(self, target: str, body: bytes, headers: dict[str, str], *, sent: Any) -> Reply:
        fault, self.fault = self.fault, "none"
        return self._machine.bring("live", headers, fault)

    def interrupt(self) -> None: ...
    def close(self) -> None: ...


class BooksMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self._patched = patch.object(Ticket, "wait", lambda ticket, _: self._wait(ticket))
        self._patched.start()
        self.now = 1000.0
        self.work: deque[Work] = deque()
        #: What the hook began with, in order: camera, name, whether it was marked.
        self.seen: list[tuple[str, Name, bool]] = []
        #: What a result stood for, in whichever life.
        self.settled: set[tuple[str, Name]] = set()
        self.superseded: set[tuple[str, Name]] = set()
        self.life = self._make_life()
        self.starts = {"live": 0, "kept": 0}
        self.captured: dict[str, list[Name]] = {"live": [], "kept": []}
        self.stock: deque[Name] = deque()
        #: Of those kept, the one that the receiver may have seen.
        self.told: Name | None = None
        self.acknowledged: list[Name] = []
        self._start_live()

    # The receiver

    def _make_life(self) -> Incarnation:
        observers: list[Any] = []
        hub = Hub(max_queue=4, observers=observers, clock=lambda: self.now)
        desk = Desk(hub, max_pixels=10_000, seats=Seats(4), has_hook=lambda camera: True)
        life = Incarnation(hub, desk)
        hub._observers = (life,)
        return life

    def _wait(self, ticket: Ticket) -> bool:
        while self.work and ticket.state is None:
            self._do(self.work.popleft())
        return ticket.state is not None

    def _do(self, work: Work) -> None:
        if work == "take":
            self._take()
        elif work in ("process", "raise"):
            self._take()
            self._finish(0, "processed" if work == "process" else "failed")
        elif work == "stop":
            self._stop()

    def _take(self) -> None:
        for camera in self.life.hub.cameras():
            frame = camera.pending.take()
            if frame is not None:
                self.life.in_hook.append((camera, frame))
                self.seen.append((camera.name, name_of(frame), frame.redelivered))
                return

    def _finish(self, which: int, state: Literal["processed", "failed"]) -> None:
        if self.life.in_hook:
            camera, frame = self.life.in_hook.pop(which % len(self.life.in_hook))
            self.settled.add((camera.name, name_of(frame)))
            camera.finish(
                Result(frame=frame, state=state, picture=frame, queue=0.0, decode=0.0, hook=0.0)
            )

    def _stop(self) -> None:
        """End in good order: no more is taken, and the hook is cut off."""
        self.life.hub.close()
        for camera, frame in self.life.in_hook:
            self.life.abandoned[camera.name] += 1
            camera.abandon(frame, "stopped")
        self.life.in_hook.clear()
        self.life.is_stopped = True

    # The network

    def bring(self, camera: str, headers: dict[str, str], fault: Fault) -> Reply:
        """Bring a request to the receiver, and its reply back; raise NoReply."""
        if fault == "lost":
            raise NoReply("lost", reason="timeout")
        if fault == "held":
            self.life.held = [*self.life.held[-3:], (camera, headers)]
            raise NoReply("late", reason="timeout")
        reply = self._deliver(camera, headers)
        if fault == "twice":
            self._deliver(camera, headers)
        if fault == "no reply":
            raise NoReply("cut", reason="reset")
        return reply

    def _deliver(self, camera: str, headers: dict[str, str]) -> Reply:
        life = self.life
        message = Message()
        envelope = wire.from_headers(headers)
        assert envelope.epoch is not None
        assert envelope.seq is not None
        name = int(envelope.epoch[1:]), envelope.seq
        try:
            fate = life.desk.take(
                *(camera, JPEG, envelope),
                every=camera == "kept",
                wait=5.0 if "Prefer" in headers else None,
            )
        except FrameError as exc:
            if exc.reason == "unsettled":
                life.came[camera] += 1
                life.names[camera].add(name)
            else:
                life.refused[camera] += 1
            return Reply(exc.status, message, b"")
        life.came[camera] += 1
        life.names[camera].add(name)
        self._check_fate(camera, name, fate)
        return Reply(fate.status, message, fate.state.encode())

    def _check_fate(self, camera: str, name: Name, fate: Fate) -> None:
        """What a caller is told is true."""
        if fate.state in ("processed", "failed"):
            check((camera, name) in self.settled, "told of a result that is none", camera, name)
        elif fate.state == "duplicate":
            is_over = (camera, name) in self.settled or self._is_superseded(camera, name)
            check(is_over, "a duplicate of which nothing became", camera, name)
        elif fate.state == "superseded":
            check(camera == "live", "a kept frame gave way", name)

    def _is_superseded(self, camera: str, name: Name) -> bool:
        """Whether a live frame that came gave way to a newer one: it is nowhere any more."""
        found = self.life.hub.get(camera)
        if camera != "live" or found is None or name not in self.life.names[camera]:
            return False
        is_open = [held for held, _ in found.pending._open.values() if name_of(held) == name]
        return not is_open

    # The senders

    def _start_live(self) -> None:
        self.starts["live"] += 1
        self._live_seq = 0
        self.slot: Latest[CapturedFrame] = Latest()
        place = self.slot.reader()
        self.ledger = Ledger(place, clock=lambda: self.now)
        self.turn = Turn(clock=lambda: self.now)
        self.line = Line(self)
        self.poster = Poster(
            *("live", place, self.line),
            endpoint=Endpoint.parse("http://h", "live"),
            ledger=self.ledger,
            turn=self.turn,
            clock=lambda: self.now,
        )

    def _capture(self, camera: str) -> Name:
        self.now += 0.1
        earlier = self.captured[camera]
        start = self.starts[camera]
        seq = earlier[-1][1] + 1 if earlier and earlier[-1][0] == start else 0
        earlier.append((start, seq))
        return start, seq

    @rule(fault=st.sampled_from(FAULTS), frames=st.integers(1, 3))
    def send_live(self, fault: Fault, frames: int) -> None:
        """Capture some frames, and post the newest."""
        for _ in range(frames):
            start, seq = self._capture("live")
            self.slot.put(
                CapturedFrame(
                    camera="live",
                    epoch=f"e{start}",
                    seq=seq,
                    captured=self.now,
                    picture=Picture(),
                )
            )
        self.line.fault = fault
        self.now = max(self.now, self.turn._rests_until)
        self.poster.step()

    @rule()
    def restart_live(self) -> None:
        """The sender dies; what stood in its slot is lost with its books."""
        self.poster.close()
        self._start_live()

    @rule()
    def capture_kept(self) -> None:
        if not self.starts["kept"]:
            self.starts["kept"] = 1
        self.stock.append(self._capture("kept"))

    @precondition(lambda self: self.stock)
    @rule(fault=st.sampled_from(FAULTS), work=st.lists(st.sampled_from(WORK), max_size=3))
    def send_kept(self, fault: Fault, work: list[Work]) -> None:
        """Post the oldest frame that is not settled, and let the hook work while it waits."""
        self._send_kept(fault, work)

    def _send_kept(self, fault: Fault, work: list[Work]) -> None:
        name = self.stock[0]
        frame = EncodedFrame(
            camera="kept",
            epoch=f"e{name[0]}",
            seq=name[1],
            captured_at=self.now,
            data=JPEG,
            width=64,
            height=48,
            redelivered=self.told == name,
        )
        self.work = deque(work)
        try:
            reply = self.bring("kept", wire.to_headers(frame) | {"Prefer": "wait=5"}, fault)
        except NoReply:
            self.told = name
            return
        finally:
            self.work.clear()
        if reply.status in (200, 500):
            check(("kept", name) in self.settled, "acknowledged, and not processed", name)
            self.acknowledged.append(self.stock.popleft())
        else:
            self.told = name

    @rule()
    def restart_kept(self) -> None:
        """The sender dies; what it keeps is on disk, and the first may have been on its way."""
        self.starts["kept"] += 1
        self.told = self.stock[0] if self.stock else None

    # What happens to the receiver

    @rule(work=st.sampled_from(WORK[:-1]))
    def hook_works(self, work: Work) -> None:
        self._do(work)

    @rule(which=st.integers(0, 3), state=st.sampled_from(["processed", "failed"]))
    def hook_is_done(self, which: int, state: Literal["processed", "failed"]) -> None:
        self._finish(which, state)

    @precondition(lambda self: self.life.held)
    @rule(which=st.integers(0, 3))
    def a_held_request_comes(self, which: int) -> None:
        camera, headers = self.life.held.pop(which % len(self.life.held))
        self._deliver(camera, headers)

    @rule(in_good_order=st.booleans())
    def restart_receiver(self, in_good_order: bool) -> None:
        if in_good_order and not self.life.is_stopped:
            self._stop()
            self.the_receiver_s_books_close()
        self.life = self._make_life()

    # What holds at every moment

    @invariant()
    def the_receiver_s_books_close(self) -> None:
        life = self.life
        for camera in life.hub.cameras():
            books, name = camera.books(), camera.name
            told = books.processed + books.superseded + books.failed + books.waiting
            check(books.received == told, "the receiver's books", name, books)
            check(min(astuple(books)) >= 0, "less than nothing", name, books)
            again = life.abandoned[name] if not life.is_stopped else 0
            check(books.received == len(life.names[name]) + again, "received", name, books)
            came = books.received + books.duplicate
            check(came == life.came[name], "came", name, books, life.came)
            check(camera.order.missing == self._gaps(name), "missing", name, camera.order.missing)

    def _gaps(self, camera: str) -> int:
        gaps = 0
        # Of a frame that a stop cut off the receiver knows nothing any more.
        names = self.life.names[camera]
        for start in {start for start, _ in names}:
            seqs = {seq for each, seq in names if each == start}
            gaps += max(seqs) - min(seqs) + 1 - len(seqs)
        return gaps + (self.life.abandoned[camera] if self.life.is_stopped else 0)

    @invariant()
    def the_sender_s_books_close(self) -> None:
        books = self.ledger.books()
        settled = sum(books.refused.values()) + sum(books.failed.values()) + books.posted
        told = settled + books.superseded + books.waiting
        check(books.captured == told, "the sender's books", books)
        mine = [name for name in self.captured["live"] if name[0] == self.starts["live"]]
        check(books.captured == len(mine), "captured", books)

    @invariant()
    def every_result_stands_once(self) -> None:
        results = self.life.results
        check(len(results) == len(set(results)), "two results of one frame", results)

    @invariant()
    def the_hook_sees_what_it_should(self) -> None:
        first: dict[str, list[Name]] = {"live": [], "kept": []}
        known: set[tuple[str, Name]] = set()
        for camera, name, is_marked in self.seen:
            if (camera, name) in known:
                check(camera == "kept", "a live frame for the second time", name)
                check(is_marked, "for the second time, and not marked", name)
            else:
                known.add((camera, name))
                first[camera].append(name)
        check(first["kept"] == sorted(first["kept"]), "the order", first["kept"])
        # Of a frame of a start that nobody knew of, nobody can tell a late one from one of a sender
        # whose clock was set back.
        names = sorted(first["live"], key=lambda name: name[0])
        check(names == sorted(names), "the order", first["live"])

    @invariant()
    def kept_frames_are_acknowledged_in_order(self) -> None:
        names = [*self.acknowledged, *self.stock]
        check(names == self.captured["kept"], "kept", names)

    def teardown(self) -> None:
        """In peace at last: every frame that was kept is processed, and nothing waits."""
        try:
            self._end()
        finally:
            self._patched.stop()

    def _end(self) -> None:
        if self.life.is_stopped:
            self.life = self._make_life()
        while self.life.in_hook:
            self._finish(0, "processed")
        for _ in range(8):  # what stands before it in the queue
            self._do("process")
        while self.stock:
            before = len(self.stock)
            self._send_kept("none", ["process"] * 8)
            check(len(self.stock) < before, "not settled in peace", *self.stock)
        self._do("process")
        saw = {name for camera, name, _ in self.seen if camera == "kept"}
        check(saw == set(self.captured["kept"]), "kept frames that no hook saw")
        self.the_receiver_s_books_close()
        waiting = [camera.books().waiting for camera in self.life.hub.cameras()]
        check(not any(waiting), "frames that wait in peace", waiting)


def play(examples: int, *, random_seed: int | None = None, shrink: bool = True) -> None:
    """Let the machine run so often, each time at most STEPS; raise Broken.

    Without a seed every run is the same. `shrink`: look for the shortest way to what is broken.
    """

    class Seeded(BooksMachine):
        pass

    machine = Seeded if random_seed is None else seed(random_seed)(Seeded)
    phases = [Phase.generate, *([Phase.shrink] if shrink else [])]
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=random_seed is None,
            database=None,
            phases=phases,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
