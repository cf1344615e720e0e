"""Stages: who shows one camera's pictures to many viewers, each started as its users start it."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measuring import steady
from benchmarks.measuring.program import Program, Receiver
from benchmarks.measuring.sink import VARIABLE

#: What nobody can beat.
LIMIT = "limit: sendall"
#: More than our receiver's default, so that the stuck ones do not take the others' places.
_SEATS = 200


@dataclass(frozen=True, slots=True)
class Stage:
    """A server of one camera's pictures, running."""

    server: Program
    #: What else runs besides viewers.
    others: tuple[Program, ...]
    stream: str
    #: Notes of its hook, and its base URL; None for a server that only shows.
    notes: Path | None = None
    base: str | None = None


@dataclass(frozen=True, slots=True)
class Show:
    """A contestant: `start` brings its stage up with pictures already coming."""

    name: str
    start: Callable[[ExitStack, Path], Stage]
    #: Modules that it needs and that not everybody has.
    needs: tuple[str, ...] = ()
    #: Whether pictures come from outside, and a hook looks at them beside the viewers.
    has_hook: bool = False


def ours(arguments: argparse.Namespace, *, width: int | None = None) -> Show:
    """Our receiver, which also runs a hook; viewers see the pictures `width` pixels wide."""

    def start(stack: ExitStack, folder: Path) -> Stage:
        notes = folder / "hook"
        receiver = stack.enter_context(
            Receiver(
                *("--hook", "benchmarks.programs.reading_hook:Noting"),
                f"--max-viewers={_SEATS}",
                environment={VARIABLE: str(notes)},
            )
        )
        poster = stack.enter_context(
            Program(
                "poster",
                ["benchmarks.programs.posting", receiver.url, *steady.options(arguments)],
                ready=["the first picture"],
            )
        )
        stream = f"{receiver.url}/cameras/cam1/stream.mjpg"
        stream += f"?width={width}" if width else ""
        return Stage(receiver, (poster,), stream, notes, receiver.url)

    name = f"Framepost, {width} pixels wide" if width else "Framepost"
    return Show(name, start, has_hook=True)


def rival(
    name: str,
    program: str,
    *,
    arguments: argparse.Namespace,
    path: str = "",
    more: tuple[str, ...] = (),
    needs: tuple[str, ...] = (),
) -> Show:
    """A program that makes the same pictures in its own process, and serves them at `path`."""

    def start(stack: ExitStack, folder: Path) -> Stage:
        server = stack.enter_context(
            Program(
                "server",
                [program, *steady.options(arguments), *more],
                ready=[r"[Rr]unning on (http://[\d.:]+)"],
            )
        )
        return Stage(server, (), server.found[0] + path)

    return Show(name, start, needs)


def everybody(arguments: argparse.Namespace) -> list[Show]:
    """Return us, the rivals, and last the limit."""
    webgear = "benchmarks.rivals.webgear"
    uvicorn = ("vidgear", "uvicorn")
    return [
        ours(arguments),
        ours(arguments, width=640),
        rival(
            "Flask tutorial",
            "benchmarks.rivals.flask_streaming",
            arguments=arguments,
            path="/video_feed",
        ),
        rival("WebGear", webgear, arguments=arguments, path="/video", needs=uvicorn),
        rival(
            "WebGear, encoded once",
            webgear,
            arguments=arguments,
            path="/video",
            more=("--shared",),
            needs=uvicorn,
        ),
        rival(LIMIT, "benchmarks.programs.fanout", arguments=arguments, path="/"),
    ]
