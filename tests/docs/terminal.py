"""Terminal: gives a page's commands; those that go on stay in the background until the end."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from functools import partial
from types import TracebackType
from typing import Any, Self

from tests.conftest import missing
from tests.docs.page import Block
from tests.docs.script import Step, steps
from tests.docs.workspace import Workspace
from tests.program import Command

_LIMIT = 90.0
_READY = 60.0
#: A program that was told to stop ends with one of these: 128 + the signal is the shell's word.
_STOPPED = {0, 128 + signal.SIGINT, -signal.SIGINT}
_PACKAGES = {
    "javac": "openjdk-17-jdk-headless",
    "java": "openjdk-17-jdk-headless",
    "node": "nodejs",
    "go": "golang-go",
    "redis-cli": "redis-tools",
    "g++": "g++",
}
#: What a shell knows by itself.
_BUILT_IN = {"cd", "export", "echo", "for", "while", "if", "test", "[", "sleep", "printf", "true"}
_ANY_CERTIFICATE = ssl._create_unverified_context()


class Failed(AssertionError):
    """Raised when a command did not do what its page says."""


class Terminal:
    """For one page. Leaving it stops everything, as Ctrl-C would."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._folder = workspace.folder
        self._variables: dict[str, str] = {}
        self._running: dict[str, Command] = {}

    def run(self, block: Block) -> str:
        """Run a block's commands; return what the last of those that end wrote to stdout."""
        output = ""
        for step in steps(block.text):
            output = self.give(step, block.place)
        return output

    def give(self, step: Step, place: str) -> str:
        """Run one command, to its end or until it serves."""
        text = self._workspace.translate(step.text)
        environment = self._workspace.environment(step.module) | self._variables
        words = step.words
        if words[:1] == ["cd"]:
            self._folder = (self._folder / words[1]).resolve()
            return ""
        if words[:1] == ["export"]:
            self._export(words[1].partition("=")[0], text, environment)
            return ""
        _look_for(words)
        if step.serves:
            self._start(step, text, environment, place)
            return ""
        return self._finish(step, text, environment, place)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        troubles = [self._stop(name) for name in reversed(list(self._running))]
        said = [trouble for trouble in troubles if trouble]
        if said and error is None:
            raise Failed("\n".join(said))
        if said and error is not None:
            error.add_note("\n".join(said))

    def _finish(self, step: Step, text: str, environment: dict[str, str], place: str) -> str:
        with subprocess.Popen(
            ["bash", "-c", text],
            cwd=self._folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                said, complaints = process.communicate(timeout=_LIMIT)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                raise Failed(f"{place}: does not end within {_LIMIT:g} s: {step.text}") from None
        if process.returncode != step.status:
            raise Failed(
                f"{place}: ended with {process.returncode}, expected {step.status}: {step.text}\n"
                f"(run as: {text})\n{said[-3000:]}{complaints[-3000:]}{self._logs()}"
            )
        return said

    def _export(self, name: str, text: str, environment: dict[str, str]) -> None:
        """Set a variable for all commands that follow, as the shell would."""
        said = ["bash", "-c", f'{text}\nprintf %s "${{{name}}}"']
        done = subprocess.run(said, env=environment, capture_output=True, text=True, check=True)
        self._variables[name] = done.stdout

    def _start(self, step: Step, text: str, environment: dict[str, str], place: str) -> None:
        name = _identity(step)
        if name in self._running and (trouble := self._stop(name)):
            raise Failed(f"{place}: {trouble}")
        command = Command("bash", "-c", text.rstrip(" &"), env=environment, cwd=self._folder)
        self._running[name] = command
        try:
            self._wait_until_it_serves(step, command)
        except (AssertionError, TimeoutError) as exc:
            failure = Failed(f"{place}: {step.text}: {exc}\n{self._logs()}")
        else:
            return
        self._stop(name)
        raise failure

    def _wait_until_it_serves(self, step: Step, command: Command) -> None:
        workspace, module = self._workspace, step.module
        if module == "camera":
            command.wait_for(r"rtsp://", seconds=_READY)
        elif module in ("receiver", "receiver.worker"):
            default = 8000 if module == "receiver" else 8002
            port = workspace.port(int(step.option("--port", str(default))))
            _poll(lambda: _get(port, "/readyz") is not None, command, "is not ready")
            for name in self._cameras() if port == workspace.port(8000) else ():
                # A sender that waited for it comes back within a second or so.
                _poll(partial(_is_shown, port, name), command, f"gets no frame of {name} again")
        elif module == "sender" and "--config" in step.words:
            command.wait_for("the picture is", seconds=_READY)
        elif module == "sender":
            port = workspace.port(8000)
            name = step.option("--camera", "cam1")
            # Another sender's frames may be there from before, while this one is only starting.
            _poll(
                lambda: command.output and _is_shown(port, name),
                command,
                f"no frame of {name} arrived",
            )

    def _cameras(self) -> list[str]:
        """Return the cameras of the senders that run."""
        return [
            name.split()[1]
            for name, command in self._running.items()
            if name.startswith("sender ") and command.alive
        ]

    def _stop(self, name: str) -> str | None:
        """End a program that serves; return what is wrong with the way it ended."""
        command = self._running.pop(name)
        if command.alive:
            os.killpg(command.pid, signal.SIGINT)
        status = command.wait()
        output = command.output
        command.__exit__(None, None, None)
        if status not in _STOPPED or "Traceback" in output:
            return f"{name} ended with {status}:\n{output}"
        return None

    def _logs(self) -> str:
        return "".join(f"\n--- {name}\n{c.output[-3000:]}" for name, c in self._running.items())


def _identity(step: Step) -> str:
    """Name what can be there only once: a second one takes the first one's place."""
    module = step.module or " ".join(step.words)
    which = step.option("--camera", "cam1") if module == "sender" else step.option("--port", "")
    return f"{module} {which}".strip()


def _look_for(words: list[str]) -> None:
    """Skip the test where the machine lacks a program; in CI that is an error."""
    name = words[0] if words else ""
    if "/" in name or name in _BUILT_IN or shutil.which(name) is not None or name == "python":
        return
    missing(name, f"apt-get install {_PACKAGES.get(name, name)}")


def _poll(reached: Any, command: Command, complaint: str) -> None:
    end = time.monotonic() + _READY
    while not reached():
        if time.monotonic() > end:
            raise TimeoutError(f"after {_READY:g} s {complaint}")
        if not command.alive:
            if command.wait() == 0:  # a clip that was sent to its end
                return
            raise TimeoutError(f"{complaint}, and it ended")
        time.sleep(0.1)


def _is_shown(port: int, camera: str) -> bool:
    """Say whether a camera's frames arrive, and come out of its hook where there is one."""
    said = _get(port, f"/cameras/{camera}")
    if said is None:
        return False
    if said == "":  # a token is asked for
        return True
    facts = json.loads(said)
    hooks = json.loads(_get(port, "/hooks") or '{"hooks": []}')["hooks"]
    is_hooked = any(hook.get("camera") in ("*", camera) for hook in hooks)
    return facts["received"] > 0 and (not is_hooked or facts["processed"] + facts["failed"] > 0)


def _get(port: int, path: str) -> str | None:
    """Return a reply's text; an empty one for 401, None for none or any other refusal."""
    for scheme in ("http", "https"):
        try:
            with urllib.request.urlopen(
                f"{scheme}://127.0.0.1:{port}{path}", timeout=5, context=_ANY_CERTIFICATE
            ) as reply:
                text: str = reply.read().decode()
                return text
        except urllib.error.HTTPError as exc:
            return "" if exc.code in (401, 403) else None
        except (OSError, http.client.HTTPException):
            continue
    return None


def save(block: Block, workspace: Workspace, name: str) -> None:
    """Write a block to a file of the workspace."""
    path = workspace.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(workspace.translate(block.text), encoding="utf-8")
