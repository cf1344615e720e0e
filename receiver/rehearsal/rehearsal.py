"""Rehearsal: a hook is loaded and run as the receiver would, on one picture, a few times."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from receiver import formats
from receiver.child.child import Child
from receiver.child.pipe import PipeClosed
from receiver.child.switchboard import Switchboard
from receiver.hooking.answer import Answer
from receiver.hooking.hooks import HookSpec
from shared import codec, pattern
from shared.errors import ConfigError, FrameError
from shared.frame import EncodedFrame

#: How often the hook is run.
RUNS = 10
_SIZE = (1280, 720)
#: For a hook that hangs to print where it hangs, and for one that is told to end.
_LAST_WORDS = 0.2
_GRACE = 2.0


@dataclass(frozen=True, slots=True)
class Stage:
    """The picture that a hook is tried on, as a camera would send it, again and again."""

    pictures: tuple[formats.Picture, ...]

    @classmethod
    def of(cls, path: Path | None) -> Self:
        """Return the picture in the file, or the moving test pattern; raise ConfigError."""
        if path is None:
            drawn = (codec.encode(pattern.draw(number, *_SIZE), 85) for number in range(RUNS))
            return cls(tuple(formats.inspect(each) for each in drawn))
        try:
            return cls((formats.inspect(path.read_bytes()),))
        except OSError as exc:
            raise ConfigError(f"check-picture: {path}: {exc.strerror}") from None
        except FrameError as exc:
            raise ConfigError(f"check-picture: {path}: {exc}") from None

    def frame(self, number: int, camera: str) -> EncodedFrame:
        picture = self.pictures[number % len(self.pictures)]
        return EncodedFrame(
            camera=camera,
            epoch="check",
            seq=number,
            captured_at=time.time(),
            data=picture.data,
            width=picture.width,
            height=picture.height,
            media_type=picture.media_type,
        )


@dataclass(slots=True)
class Outcome:
    """What a rehearsal came to; times are seconds."""

    #: Where it failed: in one sentence, with the traceback where the hook raised.
    error: str | None = None
    trace: str = ""
    #: From the start of the process to a hook that is set up; None when it never was.
    setup: float | None = None
    stateful: bool = False
    answers: list[Answer] = field(default_factory=list)
    #: Bytes of the hook's process at its largest; None where the system does not say.
    memory: int | None = None


class Rehearsal:
    """For one run, on one thread; the hook has a process of its own, which ends with the run."""

    def __init__(
        self,
        spec: HookSpec,
        stage: Stage,
        *,
        hook_path: Sequence[str],
        timeout: float,
        setup_timeout: float,
        quality: int,
    ) -> None:
        self._spec = spec
        self._stage = stage
        self._settings: dict[str, Any] = {
            "target": spec.target,
            "hook_path": [*hook_path],
            "quality": quality,
        }
        self._timeout = timeout
        self._setup_timeout = setup_timeout
        self._board: Switchboard[Child] = Switchboard()
        self._epitaph: str | None = None

    def run(self) -> Outcome:
        """Return the outcome; what the hook prints is logged meanwhile."""
        outcome = Outcome()
        self._board.open()
        try:
            child = Child("receiver.hooking.hook_process", self._settings, label="hook")
            self._board.add(child)
            try:
                self._rehearse(child, outcome)
            finally:
                self._bury(child)
        finally:
            self._board.close()
        return outcome

    def _rehearse(self, child: Child, outcome: Outcome) -> None:
        started = time.monotonic()
        ready = self._hear(child, self._setup_timeout, "setup", outcome)
        if ready is None:
            return
        header, _ = ready
        if "error" in header:
            outcome.error, outcome.trace = header["error"], header["trace"]
            return
        outcome.setup = time.monotonic() - started
        outcome.stateful = header["stateful"]
        for number in range(RUNS):
            frame = self._stage.frame(number, self._spec.camera or "cam1")
            with suppress(PipeClosed):  # then its end is what we hear next
                child.pipe.send(
                    frame.facts() | ({"is_new": True} if number == 0 else {}), frame.data
                )
            heard = self._hear(child, self._timeout, "hook", outcome)
            if heard is None:
                return
            answer = Answer(**heard[0]["answer"], picture=heard[1] or None)
            outcome.memory = _memory(child.pid)
            outcome.answers.append(answer)
            if answer.error is not None:
                outcome.error, outcome.trace = answer.error, answer.trace
                return
        child.pipe.end()  # so that it tears down, and prints what it has to say
        end = time.monotonic() + _GRACE
        while time.monotonic() < end and not child.gone:
            if any(message is None for _, message in self._board.wait(end)):
                break

    def _hear(
        self, child: Child, seconds: float, what: str, outcome: Outcome
    ) -> tuple[dict[str, Any], bytes] | None:
        """Return what the child says; None, with the outcome's error, when it ends or is late."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for _, message in self._board.wait(end):
                if message is None:
                    outcome.error = f"{what} died ({self._bury(child)})"
                    return None
                return message
        child.show_where()
        child.output.wait(_LAST_WORDS)
        outcome.error = f"{what} took longer than {seconds:g} s"
        return None

    def _bury(self, child: Child) -> str:
        """Reap it, once; return how it ended."""
        if self._epitaph is None:
            self._epitaph = self._board.bury(child)
        return self._epitaph


def _memory(pid: int) -> int | None:
    """Return what a process has held at most, in bytes (proc(5), VmHWM)."""
    with suppress(OSError, ValueError, IndexError):
        for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return None
