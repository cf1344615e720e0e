"""The bus: what it adds to an answer, what two workers do, and a hundred cameras through it.

`answer`: a picture posted with `Prefer: wait` to a hook that does nothing, within the receiver and
through Redis to a worker, by turns. `workers`: a hook of 20 ms of pure Python in one and in two
workers. `cameras`: many cameras at once, a receiver and two workers; every frame has to stand in
the books in the end, and Redis has to stay within its bound, one frame a camera.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import redis
import requests
from framepost_client import Client
from tqdm import tqdm

from benchmarks.measuring import feed, jobs, port, summary
from benchmarks.measuring.load import Load
from benchmarks.measuring.program import Program, Receiver
from benchmarks.programs import busy
from shared import codec

_IDLE = "benchmarks.programs.idle_hook:process"
_BUSY = "benchmarks.programs.busy:Busy"
#: Seconds for workers to be known to receivers, and for the last frames to be processed.
_SETTLED = 1.5
_PATIENCE = 15.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=3, help="turns of each")
    parser.add_argument("--seconds", type=float, default=6, help="of one turn")
    parser.add_argument("--answers", type=int, default=200, help="pictures of one turn of answer")
    parser.add_argument("--work", type=float, default=20, help="milliseconds of CPU in the hook")
    parser.add_argument("--cameras", type=int, default=100)
    parser.add_argument("--fps", type=float, default=5, help="of each of these cameras")
    parser.add_argument("--clip", help="a video whose pictures are posted; default: test pattern")


def run(arguments: argparse.Namespace) -> int:
    content: dict[str, Any] = {"benchmark": "scale", "environment": summary.environment()}
    content |= {"answer": answers(arguments), "workers": workers(arguments)}
    content["cameras"] = cameras(arguments)
    _print(content, arguments)
    print(f"written to {summary.write('scale', content)}")
    return 0 if content["cameras"]["uncounted"] == 0 else 1


@contextmanager
def _bus() -> Iterator[tuple[Program, str]]:
    """Run a Redis; yield it and its URL."""
    number = port.free()
    with Program(
        "redis",
        ["benchmarks.rivals.redis_server", f"--port={number}"],
        ready=["Ready to accept connections"],
    ) as program:
        yield program, f"redis://127.0.0.1:{number}/0"


def _worker(url: str, hook: str, environment: dict[str, str] | None = None) -> Program:
    line = ["receiver.worker", "--port=0", f"--bus={url}", f"--hook={hook}"]
    return Program("worker", line, ready=["is ready"], environment=environment)


def answers(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the milliseconds to an answer, within a receiver and over the bus."""
    pictures = [codec.encode(image, 80) for image in feed.load(arguments.clip, 1280, 720)]
    took: dict[str, list[float]] = {"receiver": [], "bus": []}
    with ExitStack() as stack:
        _, url = stack.enter_context(_bus())
        local = stack.enter_context(Receiver(f"--hook={_IDLE}"))
        joined = stack.enter_context(Receiver(f"--bus={url}", hooks=0))
        stack.enter_context(_worker(url, _IDLE))
        _wait_for_workers(joined.url, 1)
        clients = {
            "receiver": stack.enter_context(Client(local.url, "camera")),
            "bus": stack.enter_context(Client(joined.url, "camera")),
        }
        turns = list(clients) * arguments.rounds
        for name in tqdm(turns, "answer", unit="turn", disable=not sys.stderr.isatty()):
            for number in range(arguments.answers):
                picture = pictures[number % len(pictures)]
                started = time.perf_counter()
                reply = clients[name].send(picture, wait=5.0)
                if reply.state != "processed":
                    raise RuntimeError(f"{name}: a picture is {reply.state}")
                took[name].append(time.perf_counter() - started)
    found = {name: summary.milliseconds(each) for name, each in took.items()}
    return {**found, "added_p50_ms": round(found["bus"]["p50"] - found["receiver"]["p50"], 3)}


def workers(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the runs a second of a busy hook, in one worker and in two."""
    turns = busy.turns_of(arguments.work / 1000)
    pictures = [codec.encode(image, 80) for image in feed.load(arguments.clip, 640, 360)]
    runs: dict[int, list[float]] = {1: [], 2: []}
    with Load() as load:
        order = [1, 2] * arguments.rounds
        for count in tqdm(order, "workers", unit="turn", disable=not sys.stderr.isatty()):
            with ExitStack() as stack:
                notes = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "notes"
                environment = {busy.TURNS: str(turns), busy.NOTES: str(notes)}
                _, url = stack.enter_context(_bus())
                receiver = stack.enter_context(Receiver(f"--bus={url}", hooks=0))
                for _ in range(count):
                    stack.enter_context(_worker(url, _BUSY, environment))
                _wait_for_workers(receiver.url, count)
                before = busy.runs(notes)
                answered = load.run(
                    receiver.url, jobs.posts(pictures, 4), seconds=arguments.seconds, fps=25
                )
                runs[count].append((busy.runs(notes) - before) / answered.seconds)
    one, two = (median(runs[count]) for count in (1, 2))
    return {"one": round(one, 1), "two": round(two, 1), "ratio": round(two / one, 2)}


def cameras(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return what became of the frames of many cameras, and what Redis held at most."""
    pictures = [codec.encode(image, 80) for image in feed.load(arguments.clip, 640, 360)]
    with ExitStack() as stack:
        load = stack.enter_context(Load())
        program, url = stack.enter_context(_bus())
        receiver = stack.enter_context(Receiver(f"--bus={url}", hooks=0))
        running = [stack.enter_context(_worker(url, _IDLE)) for _ in range(2)]
        _wait_for_workers(receiver.url, 2)
        server = redis.Redis.from_url(url)
        stack.callback(server.close)
        empty = _memory(server)
        parts: dict[str, list[Program]] = {
            "receiver": [receiver],
            "workers": running,
            "redis": [program],
        }
        before = {name: sum(one.cpu() for one in some) for name, some in parts.items()}
        answered = load.run(
            receiver.url,
            jobs.posts(pictures, arguments.cameras),
            seconds=arguments.seconds * arguments.rounds,
            fps=arguments.fps,
        )
        cpu = {name: sum(one.cpu() for one in some) - before[name] for name, some in parts.items()}
        sums = _settle(receiver.url)
        peak = int(server.info("memory")["used_memory_peak"])
        largest = max(map(len, pictures))
    posted = len(answered.latencies)
    return {
        "posted": posted,
        "posted_per_second": round(posted / answered.seconds, 1),
        **sums,
        "uncounted": posted - sums["received"] + sums["waiting"],
        **{
            f"{name}_us_per_frame": round(1e6 * each / max(1, posted)) for name, each in cpu.items()
        },
        "redis_mb": round((peak - empty) / 1e6, 1),
        "frames_mb": round(arguments.cameras * largest / 1e6, 1),
    }


def _settle(url: str) -> dict[str, int]:
    """Wait until no frame waits, and return the sums of all cameras' books."""
    names = ("received", "processed", "superseded", "failed", "waiting")
    end = time.monotonic() + _PATIENCE
    while True:
        cameras = requests.get(f"{url}/cameras", timeout=10).json()["cameras"]
        sums = {name: sum(camera[name] for camera in cameras) for name in names}
        if sums["waiting"] == 0 or time.monotonic() > end:
            return sums
        time.sleep(0.2)


def _wait_for_workers(url: str, count: int) -> None:
    end = time.monotonic() + _PATIENCE
    states: Sequence[str] = ()
    while time.monotonic() < end:
        hooks = requests.get(f"{url}/hooks", timeout=10).json()["hooks"]
        states = [hook["state"] for hook in hooks]
        if states.count("ready") == count:
            time.sleep(_SETTLED)
            return
        time.sleep(0.1)
    raise RuntimeError(f"expected {count} workers that are ready, got {states}")


def _memory(server: redis.Redis) -> int:
    return int(server.info("memory")["used_memory"])


def _print(content: dict[str, Any], arguments: argparse.Namespace) -> None:
    answer, pair, many = content["answer"], content["workers"], content["cameras"]
    print("\nfrom a picture (720p) to the answer of a hook that does nothing, ms")
    print(f"{'':24}{'p50':>8}{'p95':>8}{'p99':>8}")
    for name in ("receiver", "bus"):
        row = answer[name]
        print(f"{name:24}{row['p50']:8.2f}{row['p95']:8.2f}{row['p99']:8.2f}")
    print(f"the bus adds {answer['added_p50_ms']} ms")
    print(f"\nhook of {arguments.work:g} ms: one worker {pair['one']} runs/s, two", end=" ")
    print(f"{pair['two']}: {pair['ratio']} times")
    print(f"\n{arguments.cameras} cameras at {arguments.fps:g} frames/s, 360p, two workers")
    for name, value in many.items():
        print(f"{name:24}{value:>10}")
