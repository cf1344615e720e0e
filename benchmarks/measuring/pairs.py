"""Pairs: those who bring JPEGs from one program to another, each as its own users run it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

from benchmarks.measuring import port, rival
from benchmarks.measuring.program import ROOT, Program

PROGRAMS = ROOT / "benchmarks" / "rivals"
_REDIS = "redis-server: not installed; apt-get install redis-server"


@dataclass(frozen=True, slots=True)
class Pair:
    """A rival's sender and receiver: `benchmarks.rivals.MODULE_send` and `…_receive`."""

    name: str
    module: str
    #: Packages that not everybody has.
    needs: tuple[str, ...]
    #: What its receiver says on stderr when it can be sent to; or nothing: the sender finds out.
    ready: tuple[str, ...] = ("^ready",)
    #: More arguments of the receiver.
    receiving: tuple[str, ...] = ()
    #: Whether its pictures pass a server of their own between the two.
    has_broker: bool = False

    def missing(self) -> str | None:
        """Say in a sentence what is not installed; None when nothing is."""
        if self.has_broker and shutil.which("redis-server") is None:
            return _REDIS
        return rival.missing(*self.needs)

    def start(
        self, stack: ExitStack, environment: Mapping[str, str], *, sending: Sequence[str]
    ) -> list[Program]:
        """Start all its programs; `sending` tells the sender which pictures."""
        number = f"--port={port.free()}"
        wanted = [
            Program(
                "receiver",
                [f"benchmarks.rivals.{self.module}_receive", number, *self.receiving],
                ready=self.ready,
                environment=environment,
            ),
            Program("sender", [f"benchmarks.rivals.{self.module}_send", number, *sending]),
        ]
        if self.has_broker:
            broker = Program("redis", ["benchmarks.rivals.redis_server", number], ready=["Ready"])
            wanted.insert(0, broker)
        return [stack.enter_context(program) for program in wanted]


CLASSIC = Pair("classic: base64 form, Flask", "classic", (), ready=("Running on",))
IMAGEZMQ = Pair("imageZMQ, JPEG", "imagezmq", ("imagezmq",))
REDIS = Pair("Redis, SET and PUBLISH", "redis", ("redis",), has_broker=True)
RIVALS = (
    CLASSIC,
    IMAGEZMQ,
    Pair("NetGear, JPEG", "netgear", ("vidgear",)),
    REDIS,
    Pair("LitServe, multipart", "litserve", ("litserve",), ready=()),
)

#: Not as its documentation has it: the sender encodes the next picture meanwhile.
EARLY = replace(IMAGEZMQ, name="imageZMQ, JPEG, reply first", receiving=("--early",))
#: The sender is to be told `--pubsub`, and `--base64`, too.
PUBLISHED = replace(IMAGEZMQ, name="imageZMQ, PUB/SUB", receiving=("--pubsub",))
REDIS_TEXT = replace(REDIS, receiving=("--base64",))
TCP = Pair("classic: TCP, length and JPEG", "tcp", ())


def present(pairs: Sequence[Pair]) -> list[Pair]:
    """Return those that can run here, and print why the others cannot."""
    found = []
    for pair in pairs:
        if (sentence := pair.missing()) is None:
            found.append(pair)
        else:
            print(sentence)
    return found
