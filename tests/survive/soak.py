"""Soak: hours of real frames with a fault every two minutes, and what each process grew by.

`python -m tests.survive.soak --minutes 60`, ends with 1 where something grew or did not recover.
Four simulated cameras in this process; a sender and a receiver with four hooks as programs. One of
the hooks leaks on purpose, 100 kB a minute: what does not find that proves nothing of the others.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

import psutil
import requests

from camera.simulated import SimulatedCamera
from shared import codec, pattern
from tests.program import Program, Receiver
from tests.survive.census import Census, Growth
from tests.survive.slope import Point

#: camera: codec, width, height, frames a second, transport
CAMERAS = {
    "cam1": ("h264", 640, 360, 10, "tcp"),
    "cam2": ("h265", 320, 240, 5, "udp"),
    "cam3": ("mjpeg", 640, 480, 5, "tcp"),
    "cam4": ("h264", 1280, 720, 2, "tcp"),
}
LEAKY = "tests.survive.bad_hooks:Leaky"
IDLE = "tests.survive.bad_hooks:idle"
STEADY = "tests.witness:Witness"
#: What a person who looks for a leak would call one, MB per hour, and what the control leaks.
BAR = 1.0
PLANTED = 6.0
#: Frames of all cameras must reach their hooks again so many seconds after a fault.
RECOVERY = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Times are seconds. A run shorter than an hour leaks, and allows, so much more per hour."""

    seconds: float
    every: float
    warm_up: float
    window: float
    sample: float
    outage: float

    @classmethod
    def of(cls, minutes: float) -> Plan:
        """Return the plan of a run: as long as that, in the proportions of an hour."""
        share = min(1.0, minutes / 60)
        return cls(
            seconds=minutes * 60,
            every=max(12.0, 120 * share),
            warm_up=min(600.0, minutes * 60 / 5),
            window=max(2.0, 30 * share),
            sample=max(0.5, 5 * share),
            outage=max(4.0, 20 * share),
        )

    @property
    def scale(self) -> float:
        """How much more than in an hour's run is planted, and allowed, per hour."""
        return max(1.0, 3600 / self.seconds)


def schedule(kinds: Sequence[str], plan: Plan, rng: random.Random) -> list[str]:
    """Return which fault comes next, and next, of a whole run.

    The receiver is killed at the end only: a process must grow old to show that it does not grow.
    """
    count = int(plan.seconds / plan.every) - 1
    others = [kind for kind in kinds if kind != "receiver killed"]
    drawn: list[str] = []
    while len(drawn) < count:
        drawn += rng.sample(others, len(others))
    drawn = drawn[:count]
    if "receiver killed" in kinds and count:
        drawn[-1] = "receiver killed"
    return drawn


#: Results that the receiver keeps for readers of /events, and how many fill it at once.
_JOURNAL = 10_000
_FILLERS = 4


class Soak:
    """The programs, and the faults that befall them. `with` starts and ends them."""

    def __init__(self, folder: Path, *, leak: float, is_disarmed: bool = False) -> None:
        """`leak`: bytes a minute of the control. `is_disarmed`: a hook that is judged leaks too."""
        self._folder = folder
        self._leak = leak
        self._steady = LEAKY if is_disarmed else STEADY
        self._stack = ExitStack()
        self._port = 0
        self.outputs: list[Program] = []
        #: What to do, and what ends it.
        self.faults: Mapping[str, tuple[Callable[[], None], Callable[[], None]]] = {
            "receiver stopped": (
                lambda: self._signal(signal.SIGSTOP),
                lambda: self._signal(signal.SIGCONT),
            ),
            "receiver killed": (self._kill, self._start_receiver),
            "camera stalled": (self._cameras_stall, self._cameras_resume),
            "camera gone": (self._cameras_stop, self._cameras_start),
            "hook segfault": (self._segfault, lambda: None),
        }

    def __enter__(self) -> Self:
        try:
            self.cameras = {
                name: self._stack.enter_context(
                    SimulatedCamera(codec=codec, size=(width, height), fps=fps)
                )
                for name, (codec, width, height, fps, _) in CAMERAS.items()
            }
            self._start_receiver()
            config = self._folder / "cameras.yaml"
            config.write_text(
                "cameras:\n"
                + "".join(
                    f"  - {{camera: {name}, source: '{camera.url}',"
                    f" rtsp_transport: {CAMERAS[name][4]}}}\n"
                    for name, camera in self.cameras.items()
                ),
                encoding="utf-8",
            )
            self.sender = self._stack.enter_context(
                Program("sender", "--config", str(config), "--to", self.receiver.url)
            )
            self.outputs.append(self.sender)
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    def roles(self) -> dict[str, int]:
        """Return the process of each role, of those that are there now."""
        found = {"sender": self.sender.pid, "receiver": self.receiver.pid}
        try:
            for child in psutil.Process(self.receiver.pid).children(recursive=True):
                line = child.cmdline()
                if "receiver.hooking.hook_process" not in line:
                    found["receiver's server"] = child.pid
                    continue
                target = json.loads(line[-1])["target"]
                if target == IDLE:
                    continue
                is_control = target == LEAKY and self._steady != LEAKY
                found["control" if is_control else f"hook {target.rpartition(':')[2]}"] = child.pid
        except psutil.Error:
            pass  # it was just killed
        return found

    def counts(self) -> dict[str, Any]:
        """Return what the receiver says of each camera; empty while it says nothing."""
        try:
            answer = requests.get(f"{self.receiver.url}/cameras", timeout=2).json()
        except (requests.RequestException, ValueError):
            return {}
        return {camera["camera"]: camera for camera in answer["cameras"]}

    def recovers(self, seconds: float) -> float | None:
        """Return after how many seconds frames of all cameras had reached hooks; None: not all."""
        started = time.monotonic()
        first: dict[str, int] = {}
        while time.monotonic() - started < seconds:
            done = {name: camera["processed"] for name, camera in self.counts().items()}
            first = {name: min(first.get(name, number), number) for name, number in done.items()}
            if all(done.get(name, 0) > first.get(name, 0) for name in CAMERAS):
                return time.monotonic() - started
            time.sleep(0.1)
        return None

    def fill(self) -> None:
        """Let so many results come that the receiver's journal is full, as after a while it is."""
        picture = codec.encode(pattern.draw(0, 160, 120), 50)
        with ThreadPoolExecutor(_FILLERS) as pool:
            list(pool.map(partial(self._fill, picture), range(_FILLERS)))

    def _fill(self, picture: bytes, number: int) -> None:
        with requests.Session() as session:
            for _ in range(_JOURNAL // _FILLERS):
                answer = session.post(
                    f"{self.receiver.url}/cameras/filler{number}/frames?mode=every",
                    picture,
                    headers={"Content-Type": "image/jpeg", "Prefer": "wait=30"},
                    timeout=60,
                )
                answer.raise_for_status()

    def _start_receiver(self) -> None:
        hooks = (self._steady, f"cam3={LEAKY}", "cam4=tests.sightings:process")
        arguments = [part for hook in hooks for part in ("--hook", hook)]
        for number in range(_FILLERS):
            arguments += ["--hook", f"filler{number}={IDLE}"]
        env = {"LEAK_PER_MINUTE": str(self._leak)}
        for left in range(20, -1, -1):
            try:
                self.receiver = Receiver(*arguments, port=self._port, env=env)
                break
            except AssertionError as exc:
                # The killed one's server needs a moment to notice it.
                if "in use" not in str(exc) or not left:
                    raise
                time.sleep(0.25)
        self._stack.enter_context(self.receiver)
        self._port = self.receiver.port
        self.outputs.append(self.receiver)

    def _signal(self, number: int) -> None:
        top = psutil.Process(self.receiver.pid)
        for process in (top, *top.children(recursive=True)):
            process.send_signal(number)

    def _kill(self) -> None:
        self.receiver.stop(signal.SIGKILL)

    def _segfault(self) -> None:
        os.kill(self.roles()["hook process"], signal.SIGSEGV)

    def _cameras_stall(self) -> None:
        for name in ("cam1", "cam2"):
            self.cameras[name].stall()

    def _cameras_resume(self) -> None:
        for name in ("cam1", "cam2"):
            self.cameras[name].resume()

    def _cameras_stop(self) -> None:
        self.cameras["cam3"].stop()

    def _cameras_start(self) -> None:
        self.cameras["cam3"].start()


@dataclass(frozen=True, slots=True)
class Report:
    """What a soak saw. `broken` are sentences; none where all promises were kept."""

    growth: Mapping[str, Growth]
    faults: Mapping[str, int]
    slowest_recovery: float
    processed: int
    broken: Sequence[str]
    #: Of each role's longest life: seconds since its birth, MB resident at least.
    memory: Mapping[str, Sequence[Point]]


def soak(
    plan: Plan,
    *,
    seed: int,
    folder: Path,
    say: Callable[[str], None],
    is_disarmed: bool = False,
) -> Report:
    """Run all, and judge it."""
    broken: list[str] = []
    leak = PLANTED * 1e6 / 60 * plan.scale
    census = Census()
    slowest = 0.0
    with Soak(folder, leak=leak, is_disarmed=is_disarmed) as line:
        if line.recovers(60) is None:
            raise AssertionError(f"no frames at the start:\n{line.sender.output}")
        looked = time.monotonic()

        def watch(until: float) -> None:
            nonlocal looked
            while time.monotonic() < until:
                time.sleep(max(0.0, min(looked + plan.sample, until) - time.monotonic()))
                if time.monotonic() >= looked + plan.sample:
                    looked = time.monotonic()
                    census.look(line.roles())

        def befall(kind: str) -> None:
            nonlocal slowest
            begin, end = line.faults[kind]
            begin()
            watch(time.monotonic() + plan.outage)
            end()
            took = line.recovers(RECOVERY)
            say(f"{kind}: {'not over' if took is None else f'over after {took:.1f} s'}")
            if took is None:
                broken.append(f"{kind}: no frames of some camera {RECOVERY:.0f} s after it")
            slowest = max(slowest, RECOVERY if took is None else took)

        # What each costs once is no growth, nor is what the receiver keeps of the newest results.
        for kind in line.faults:
            befall(kind)
        line.fill()
        census = Census()
        kinds = schedule([*line.faults], plan, random.Random(seed))
        started = time.monotonic()
        for number, kind in enumerate(kinds, 1):
            watch(started + number * plan.every)
            befall(kind)
        watch(started + plan.seconds)
        counts = line.counts()
        outputs = list(line.outputs)
    for camera in counts.values():
        accounted = sum(camera[name] for name in ("processed", "superseded", "failed", "waiting"))
        if camera["received"] != accounted:
            broken.append(f"{camera['camera']}: the books do not close: {camera}")
    broken += [
        f"a traceback:\n{one.output}" for one in outputs if "Traceback (most recent" in one.output
    ]
    growth = census.growth(warm_up=plan.warm_up, window=plan.window)
    broken += judge(growth, scale=plan.scale)
    return Report(
        growth,
        {kind: kinds.count(kind) for kind in kinds},
        round(slowest, 2),
        sum(camera["processed"] for camera in counts.values()),
        broken,
        census.memory(plan.window),
    )


def judge(growth: Mapping[str, Growth], *, scale: float = 1.0) -> list[str]:
    """Return a sentence for each role that grew, and for a control that was not found."""
    broken = []
    for role, grown in growth.items():
        if role == "control":
            continue
        if grown.memory.upper > BAR * scale:
            broken.append(
                f"{role}: memory grows by {grown.memory.per_hour:.2f} MB an hour, at most"
                f" {grown.memory.upper:.2f}; expected at most {BAR * scale:g}"
            )
        for name, slope in (("threads", grown.threads), ("open files", grown.files)):
            if slope.per_hour > scale:
                broken.append(f"{role}: {slope.per_hour:.1f} more {name} each hour, expected none")
    for role in ("sender", "receiver", "control"):
        if role not in growth:
            broken.append(f"{role}: did not live long enough to be judged")
    control = growth.get("control")
    if control is not None and control.memory.upper <= BAR * scale:
        broken.append(
            f"control: leaks {PLANTED * scale:g} MB an hour, and was not found"
            f" ({control.memory.upper:.2f})"
        )
    return broken


def main(argv: Sequence[str]) -> int:
    parser = ArgumentParser(prog="python -m tests.survive.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--result", type=Path, help="JSON file for what was seen")
    arguments = parser.parse_args(argv)
    plan = Plan.of(arguments.minutes)
    with TemporaryDirectory() as folder:
        report = soak(
            plan,
            seed=arguments.seed,
            folder=Path(folder),
            say=lambda text: print(text, flush=True),
        )
    show(report)
    if arguments.result is not None:
        record(arguments.result, report, plan, arguments.seed)
    return 1 if report.broken else 0


def show(report: Report) -> None:
    """Print the table of growth, and what was broken."""
    print(f"{'process':20} {'MB':>7} {'MB/h':>7} {'at most':>8} {'threads/h':>9} {'files/h':>8}")
    for role, grown in report.growth.items():
        print(
            f"{role:20} {grown.resident:7.1f} {grown.memory.per_hour:7.2f} "
            f"{grown.memory.upper:8.2f} {grown.threads.per_hour:9.2f} {grown.files.per_hour:8.2f}"
        )
    print(f"faults: {report.faults}; slowest recovery {report.slowest_recovery:.1f} s")
    print("\n".join(report.broken) or "all promises kept")


def record(path: Path, report: Report, plan: Plan, seed: int) -> None:
    """Write the report as JSON, with what it takes to see it again."""
    content = {
        "command": f"python -m tests.survive.soak --minutes {plan.seconds / 60:g} --seed {seed}",
        "load_average": os.getloadavg(),
        "cores": os.cpu_count(),
        "plan": asdict(plan),
        **asdict(report),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
