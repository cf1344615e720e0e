"""The hook process: loads one hook, and answers frames until its pipe ends.

Started by the receiver as `python -m receiver.hooking.hook_process JSON`; a person never calls it.
The hook has this process's main thread, so that windows work, and its output goes where the
receiver reads.
"""

from __future__ import annotations

import faulthandler
import json
import logging
import os
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from receiver.child.orphan import die_with_parent
from receiver.child.pipe import Pipe, PipeClosed
from receiver.frame import Frame
from receiver.hooking import hooks, traces
from receiver.hooking.answer import Answer, ask
from receiver.hooking.memory import Memory
from receiver.region import SharedFrame
from shared.frame import EncodedFrame

#: Of 1000, by which it is ended before others that take as much (proc(5), oom_score_adj).
_FIRST = "300"


def main(argument: str) -> None:
    """Serve the hook that `argument` (JSON: fd, parent, target, hook_path, quality) names."""
    settings = json.loads(argument)
    pipe = begin(settings)
    # A hook edited twice within a second would otherwise be loaded from its former bytecode.
    sys.dont_write_bytecode = True
    try:
        serve(pipe, settings["target"], settings["hook_path"], settings["quality"])
    except SystemExit as exc:
        # Else nobody would know where the end was called for.
        sys.stderr.write(f"{traces.full(exc)}\n")
        raise


def begin(settings: dict[str, Any]) -> Pipe:
    """Make this a child of the receiver: quiet on Ctrl-C, gone when the receiver is."""
    # Ctrl-C reaches the whole terminal; when to end is the receiver's business.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # As is SIGTERM's, which systemd sends to all processes of a service at once. Not ignored but
    # heard and not heeded: what a hook starts itself would inherit a signal that is ignored.
    signal.signal(signal.SIGTERM, lambda *_: None)
    die_with_parent(settings["parent"])
    with suppress(OSError):  # where memory runs out, Linux is to end a hook and not the receiver
        Path("/proc/self/oom_score_adj").write_text(_FIRST, encoding="ascii")
    # A segmentation fault, or SIGUSR1 before a hook that hangs is killed, shows where it was.
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR1, all_threads=False)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True, errors="replace")  # type: ignore[union-attr]
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    end = socket.socket(fileno=settings["fd"])
    end.set_inheritable(False)

    def leave() -> None:
        end.close()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)

    # What a hook forks is a program of its own: with the pipe in its hands nobody would hear that
    # the hook died, and who is to end it expects that it heeds SIGTERM.
    os.register_at_fork(after_in_child=leave)
    return Pipe(end)


def serve(pipe: Pipe, target: str, hook_path: list[str], quality: int) -> None:
    """Set the hook up, answer frames until the pipe's end, tear it down."""
    file: Path | None = None
    try:
        file = hooks.locate(target, hook_path)
        hook = hooks.load(target, hook_path)
        hooks.set_up(hook)
    except hooks.HookError as exc:
        files = {*_users_files(file), *([exc.file] if exc.file else [])}
        pipe.send({"error": str(exc), "trace": exc.trace, "files": sorted(files)})
        return
    memory = Memory(hook)
    known = len(sys.modules)
    pipe.send({"stateful": hook.stateful, "files": _users_files(file)})
    while True:
        try:
            header, data = pipe.receive()
        except PipeClosed:
            break
        is_new = header.pop("is_new", False)
        kind = SharedFrame if "region" in header else EncodedFrame
        try:
            memory.begin(header["camera"], is_new=is_new)
            answer = ask(hook, Frame(kind(**header, data=data)), quality)
        except hooks.HookError as exc:
            answer = Answer(error=str(exc), trace=exc.trace)
        reply: dict[str, Any] = {"answer": answer.facts()}
        if len(sys.modules) != known:  # it imported something on the way
            known = len(sys.modules)
            reply["files"] = _users_files(file)
        pipe.send(reply, answer.picture or b"")
    hooks.tear_down(hook)


def _users_files(file: Path | None) -> list[str]:
    """Return the files whose change makes another hook: `file`, and its imported neighbours."""
    if file is None:
        return []
    names = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
    paths = {Path(name) for name in names if name and not traces.is_own(name)}
    return sorted({str(file)} | {str(path) for path in paths if traces.is_near(path, file)})


if __name__ == "__main__":
    main(sys.argv[1])
