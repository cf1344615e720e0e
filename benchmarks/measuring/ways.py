"""Way: one carrier of pictures between two programs, ours or a rival's, and how it is started."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from benchmarks.measuring import port
from benchmarks.measuring.contest import Chain
from benchmarks.measuring.pairs import Pair
from benchmarks.measuring.program import Program, Receiver

Start = Callable[[ExitStack, Mapping[str, str], Sequence[str]], Sequence[Program]]

_HOOK = ("--hook", "benchmarks.programs.reading_hook:Noting")
_CARRYING = "benchmarks.programs.carrying"


@dataclass(frozen=True, slots=True)
class Way:
    """A contestant: `start(stack, environment, sending)` starts its programs, see `Chain`.

    `sending` tells the sender which pictures. `pair`, where there is one, says what it needs.
    """

    name: str
    start: Start
    pair: Pair | None = None

    def chain(self, sending: Sequence[str], environment: Mapping[str, str] | None = None) -> Chain:
        """Return it as a contestant; its last process gets `environment` besides."""

        def start(stack: ExitStack, notes: Mapping[str, str]) -> Sequence[Program]:
            return self.start(stack, {**notes, **(environment or {})}, sending)

        return Chain(self.name, start)


def theirs(
    pair: Pair,
    more: Sequence[str],
    stack: ExitStack,
    environment: Mapping[str, str],
    sending: Sequence[str],
) -> list[Program]:
    return pair.start(stack, environment, sending=[*sending, *more])


def by_http(
    transport: str, stack: ExitStack, environment: Mapping[str, str], sending: Sequence[str]
) -> list[Program]:
    receiver = stack.enter_context(Receiver(*_HOOK, environment=environment))
    line = [_CARRYING, f"--to={receiver.url}", f"--transport={transport}", *sending]
    return [receiver, stack.enter_context(Program("sender", line))]


def by_redis(
    encoding: str, stack: ExitStack, environment: Mapping[str, str], sending: Sequence[str]
) -> list[Program]:
    number = port.free()
    to = f"redis://127.0.0.1:{number}/0"
    line = [_CARRYING, f"--to={to}", f"--encoding={encoding}", *sending]
    wanted = [
        Program("redis", ["benchmarks.rivals.redis_server", f"--port={number}"], ready=["Ready"]),
        Receiver("--listen", to, *_HOOK, environment=environment),
        Program("sender", line),
    ]
    return [stack.enter_context(program) for program in wanted]


def over_bus(
    stack: ExitStack, environment: Mapping[str, str], sending: Sequence[str]
) -> list[Program]:
    number = port.free()
    redis = Program(
        "redis", ["benchmarks.rivals.redis_server", f"--port={number}"], ready=["Ready"]
    )
    bus = f"--bus=redis://127.0.0.1:{number}/0"
    worker = Program(
        "worker",
        ["receiver.worker", "--port=0", bus, *_HOOK],
        ready=["is ready"],
        environment=environment,
    )
    started = [stack.enter_context(each) for each in (redis, Receiver(bus, hooks=0), worker)]
    assert isinstance(started[1], Receiver)
    line = [_CARRYING, f"--to={started[1].url}", "--transport=post", *sending]
    return [*started, stack.enter_context(Program("sender", line))]


def by_listening(
    scheme: str,
    listen: str,
    query: str,
    stack: ExitStack,
    environment: Mapping[str, str],
    sending: Sequence[str],
) -> list[Program]:
    """Start our receiver that listens, and our sender; `query` is the sender's."""
    place = f"127.0.0.1:{port.free()}"
    line = [_CARRYING, f"--to={scheme}://{place}{query}", *sending]
    wanted = [
        Receiver("--listen", f"{listen}://{place}", *_HOOK, environment=environment),
        Program("sender", line),
    ]
    return [stack.enter_context(program) for program in wanted]


def present(ways: Sequence[Way]) -> list[Way]:
    """Return those that can run here, and print why the others cannot."""
    found, told = [], set()
    for way in ways:
        sentence = None if way.pair is None else way.pair.missing()
        if sentence is None:
            found.append(way)
        elif sentence not in told:
            told.add(sentence)
            print(sentence)
    return found


def cpu_of(row: Mapping[str, Any]) -> int:
    """Return the µs of CPU that all processes together took for a frame."""
    return sum(row["cpu_us_per_frame"].values())
