"""Programs: they end in good order under load, and begin in any order."""

from __future__ import annotations

import itertools
import random
import re
import shutil
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from types import TracebackType
from typing import Any, Self

import psutil
import requests

from camera.simulated import SimulatedCamera
from tests.program import Program, Receiver
from tests.redis_server import RedisServer
from tests.survive.callers import Callers
from tests.survive.line import PATIENCE
from tests.survive.receivers import receiver
from tests.survive.trial import Figures, Run, Trial, Unable

#: Docker kills after 10 s.
_END = 8.0
#: After the last of the programs was started.
_STEADY = 5.0
_HOOK = "import time\ndef process(frame):\n    time.sleep(0.05)\n    return frame.seq\n"
#: What a request may be answered while a receiver ends.
_ANSWERS = {200, 202, 503}
_SUMMARY = re.compile(r"in all captured=(\d+) posted=(\d+).* failed=(\d+)")


def stop_receiver(run: Run) -> Figures:
    """End a receiver that everybody wants something of, again and again."""
    rounds = 2 if run.quick else 20
    (run.folder / "slow_hook.py").write_text(_HOOK)
    answered, late, lost, slowest = 0, 0, 0, 0.0
    for number in range(rounds):
        with (
            Callers() as callers,
            receiver(
                run, "no-drain", "--hook", "slow_hook", "--hook-path", str(run.folder)
            ) as program,
        ):
            program.wait_for("is ready", seconds=PATIENCE)
            callers.attach(program.port)
            time.sleep(run.random.uniform(0.0, 0.3))
            family = psutil.Process(program.pid).children(recursive=True)
            started = time.monotonic()
            status = program.stop(seconds=PATIENCE)
            took = time.monotonic() - started
            _, left = psutil.wait_procs(family, timeout=10)
            callers.leave()
        cut, streams = callers.cut, callers.streams
        # On a busy machine not everybody may come once more before the connections are ended.
        most_cut = 1 if run.quick else 0
        run.check(
            len(cut) <= most_cut,
            f"round {number}: {len(cut)} had no whole answer: {'; '.join(cut)}",
        )
        run.check(callers.ended == streams, f"{callers.ended} of {streams} streams ended well")
        strange = set(callers.statuses) - _ANSWERS
        run.check(not strange, f"answers were {dict(callers.statuses)}")
        run.check(status == 0, f"it ended with {status}:\n{program.output}")
        run.check(not left, f"{left} are left over")
        run.check("Traceback" not in program.output, program.output)
        run.check(took <= (PATIENCE if run.quick else _END), f"it ended after {took:.1f} s")
        answered += callers.statuses.total()
        lost += len(cut)
        late += callers.statuses[503]
        slowest = max(slowest, took)
        run.say(f"{number + 1} of {rounds}: {took:.2f} s, {dict(callers.statuses)}")
    return {
        "stops": rounds,
        "answers": answered,
        "answers_503": late,
        "without_an_answer": lost,
        "slowest_s": round(slowest, 2),
    }


def stop_sender(run: Run) -> Figures:
    """End a sender that reads a camera and posts, again and again."""
    rounds = 1 if run.quick else 20
    posted, slowest = 0, 0.0
    with (
        SimulatedCamera(size=(320, 240), fps=25) as camera,
        Receiver("--hook", "tests.witness:Witness") as taker,
    ):
        for number in range(rounds):
            before, torn = _received(taker), camera.teardowns
            patch = ("tests.survive.disarmed", "no-teardown", "sender")
            arguments = ("--camera", "cam1", "--source", camera.url, "--to", taker.url)
            names = patch if run.disarmed else ("sender",)
            with Program(*names, *arguments) as sender:
                _wait_until(run, "frames", partial(_has, taker, before + 10))
                time.sleep(run.random.uniform(0.0, 0.3))
                started = time.monotonic()
                status = sender.stop(seconds=PATIENCE)
                took = time.monotonic() - started
            run.check(status == 0, f"it ended with {status}:\n{sender.output}")
            run.check("Traceback" not in sender.output, sender.output)
            run.check(took <= (PATIENCE if run.quick else _END), f"it ended after {took:.1f} s")
            said = camera.teardowns - torn
            run.check(said == 1, f"round {number}: the camera heard {said} TEARDOWN, expected 1")
            found = _SUMMARY.search(sender.output)
            assert found is not None, sender.output
            run.check(found[3] == "0", f"posts failed: {found[0]}")
            came = _received(taker) - before
            run.check(came == int(found[2]), f"{came} frames came, and it says {found[0]}")
            posted += came
            slowest = max(slowest, took)
            run.say(f"{number + 1} of {rounds}: {took:.2f} s")
    return {"stops": rounds, "posted": posted, "failed": 0, "slowest_s": round(slowest, 2)}


def order(run: Run) -> Figures:
    """Start camera, Redis, receiver and sender in every order."""
    if shutil.which("redis-server") is None:
        raise Unable("redis-server is missing; apt-get install redis-server")
    orders = list(itertools.permutations(_Programs.NAMES))
    run.random.shuffle(orders)
    slowest = 0.0
    for number, names in enumerate(orders[:2] if run.quick else orders):
        took = _start_in(run, names)
        slowest = max(slowest, took)
        run.say(f"{number + 1}: {' '.join(names)}: {took:.2f} s")
    return {"orders": 2 if run.quick else len(orders), "slowest_steady_s": round(slowest, 2)}


def _start_in(run: Run, names: tuple[str, ...]) -> float:
    """Return the seconds from the last one's start to the tenth frame at the hook."""
    most = PATIENCE if run.quick else _STEADY
    what = ", ".join(names)
    with _Programs(patch="long-pauses" if run.disarmed else "") as programs:
        for name in names[:-1]:
            programs.start(name)
            time.sleep(0.2 if run.quick else 1.0)
        started = time.monotonic()
        programs.start(names[-1])
        while (frames := programs.processed()) < 10 and time.monotonic() < started + most:
            time.sleep(0.02)
        took = time.monotonic() - started
        run.check(
            frames >= 10,
            f"{what}: {frames} frames at the hook after {took:.1f} s\n{programs.story(started)}",
        )
        for name, program in programs.running.items():
            run.check(program.alive, f"{what}: the {name} has ended:\n{program.output}")
        ends = {name: programs.running[name].stop() for name in ("sender", "receiver", "camera")}
        story = f"{what}:\n{programs.story(started)}"
        run.check(not any(ends.values()), f"they ended with {ends}: {story}")
        run.check("Traceback" not in story and "hook died" not in story, story)
    return took


class _Programs:
    """Camera, Redis, receiver and sender, each with a port of its own before any is started."""

    NAMES = ("camera", "redis", "receiver", "sender")

    def __init__(self, *, patch: str) -> None:
        """`patch`: of the sender's defences, which to take away."""
        self.running: dict[str, Program] = {}
        self._patch = patch
        self._camera, self._receiver = _port(), _port()
        self._redis = RedisServer()
        self._redis.port = _port()
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._stack.callback(self._redis.stop)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    def start(self, name: str) -> None:
        if name == "redis":
            self._redis.start()
            return
        to = f"http://127.0.0.1:{self._receiver}"
        source = f"rtsp://127.0.0.1:{self._camera}/"
        arguments = {
            "camera": ("--port", str(self._camera), "--size", "320x240", "--fps", "25"),
            "receiver": (
                *("--port", str(self._receiver), "--bus", self._redis.url),
                *("--hook", "tests.witness:Witness"),
            ),
            "sender": ("--camera", "cam1", "--source", source, "--to", to),
        }[name]
        module: tuple[str, ...] = (name,)
        if name == "sender" and self._patch:
            module = ("tests.survive.disarmed", self._patch, name)
        self.running[name] = self._stack.enter_context(Program(*module, *arguments))

    def story(self, since: float) -> str:
        """Return what all of them said, in order, each line with its seconds after `since`."""
        said = sorted(
            (at - since, name, line)
            for name, program in self.running.items()
            for at, line in zip(list(program.times), program.lines, strict=False)
        )
        return "\n".join(f"{at:7.2f} {name:<8} {line}" for at, name, line in said)

    def processed(self) -> int:
        """Return the frames that the hook has done; none while nobody answers."""
        with suppress(requests.ConnectionError):
            url = f"http://127.0.0.1:{self._receiver}/cameras/cam1"
            answer = requests.get(url, timeout=PATIENCE)
            return int(answer.json()["processed"]) if answer.ok else 0
        return 0


def _port() -> int:
    """Return a free port, of those that the system gives to nobody of its own accord."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _received(taker: Receiver) -> int:
    answer = requests.get(f"{taker.url}/cameras/cam1", timeout=PATIENCE)
    content: dict[str, Any] = answer.json()
    return int(content["received"]) if answer.ok else 0


def _has(taker: Receiver, frames: int) -> bool:
    return _received(taker) >= frames


def _wait_until(run: Run, what: str, condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        run.check(time.monotonic() < deadline, f"waited {PATIENCE:g} s in vain for {what}")
        time.sleep(0.02)


TRIALS = [
    Trial(
        "programs-stop-receiver",
        "a receiver that is told to end answers every request, with 5 viewers, 2 readers of /live,"
        " 4 who post and 4 who wait for results there, ends every stream, and is gone with 0 and"
        " with all of its processes within 8 s, 20 times of 20",
        stop_receiver,
        disarm="the end in order: it ends at once",
        disarm_quick=True,
    ),
    Trial(
        "programs-stop-sender",
        "a sender that is told to end says TEARDOWN to its camera, has an answer to each frame that"
        " it posted, and ends with 0 within 8 s, 20 times of 20",
        stop_sender,
        disarm="TEARDOWN: the connection is closed without it",
    ),
    Trial(
        "programs-order",
        "camera, Redis, receiver and sender may be started in any of the 24 orders: within 5 s of"
        " the last one's start frames are at the hook, and none has ended or shown a traceback",
        order,
        disarm="trying again soon: the sender pauses for a minute",
    ),
]
