"""Hooks: find the user's algorithm, load it, and say in one sentence what is wrong with it.

A hook is named `module`, `module:name`, `package.module:name` or `path/to/file.py:name`; the name
is `process` where none is given. It is a function of a frame, or a class with `process(frame)` and,
where it needs them, `setup()` and `teardown()`.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import inspect
import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any, Self

from receiver.frame import Frame
from receiver.hooking import traces
from shared.errors import ConfigError
from shared.frame import CAMERA_NAME

logger = logging.getLogger(__name__)


class HookError(ConfigError):
    """Raised with one sentence when a hook cannot be found, loaded or set up.

    `trace` is the traceback where user code raised, else empty; `file` is where to mend it.
    """

    def __init__(self, problem: str, *, trace: str = "", file: str | None = None) -> None:
        super().__init__(problem)
        self.trace = trace
        self.file = file


@dataclass(frozen=True, slots=True)
class HookSpec:
    """What to run, and for which camera; None is every camera without a hook of its own."""

    target: str
    camera: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `module:name` or `CAMERA=module:name`; raise HookError."""
        camera, equals, target = text.rpartition("=")
        if equals and not CAMERA_NAME.fullmatch(camera):
            raise HookError(f"hook {text}: expected a camera's name before '=', got {camera!r}")
        module, name = split_target(target)
        if not module or not name.isidentifier():
            raise HookError(
                f"hook {text}: expected module:name, path/to/file.py:name or CAMERA=module:name"
            )
        return cls(target, camera or None)


@dataclass(frozen=True, slots=True)
class Hook:
    """A loaded hook. `stateful` wants every frame of a camera in the same worker."""

    target: str
    file: Path
    process: Callable[[Frame], object]
    setup: Callable[[], object]
    teardown: Callable[[], object]
    stateful: bool
    #: Told of a camera that comes back from another worker; None where it cannot be.
    forget: Callable[[str], object] | None = None


def split_target(target: str) -> tuple[str, str]:
    """Return module (or path of a file) and name."""
    module, colon, name = target.rpartition(":")
    return (module, name) if colon else (target, "process")


def search_path(hook_path: Sequence[str]) -> list[str]:
    """Return where hooks are looked for: the working directory, then `hook_path`."""
    return [str(Path(folder).resolve()) for folder in (".", *hook_path)]


def locate(target: str, hook_path: Sequence[str] = ()) -> Path:
    """Return the hook's file without running anything of it; raise HookError."""
    importlib.invalidate_caches()  # it may have been written a moment ago
    module, _ = split_target(target)
    folders = search_path(hook_path)
    if module.endswith(".py"):
        for folder in folders:
            path = Path(folder, module).resolve()
            if path.is_file():
                return path
        raise HookError(f"hook {target}: there is no file {module} in {_list(folders)}")
    where: Sequence[str] = [*folders, *sys.path]
    spec: ModuleSpec | None = None
    for part in module.split("."):
        spec = PathFinder.find_spec(part, where)
        if spec is None:
            near = [one for one in dict.fromkeys(where) if one not in sys.path or one in folders]
            raise HookError(
                f"hook {target}: there is no module {part!r} in {_list(near)}"
                f"{_did_you_mean(part, _modules(near))}"
            )
        where = spec.submodule_search_locations or []
    if spec is None or spec.origin is None:
        raise HookError(f"hook {target}: {module} is a folder; name a module in it")
    return Path(spec.origin).resolve()


def load(target: str, hook_path: Sequence[str] = ()) -> Hook:
    """Import the hook and make its class, if it is one; raise HookError.

    Puts the hook's folders at the head of `sys.path` and leaves them there.
    """
    file = locate(target, hook_path)
    module_name, name = split_target(target)
    folders = search_path(hook_path)
    if module_name.endswith(".py"):
        folders.insert(0, str(file.parent))
    sys.path[:] = [*folders, *(entry for entry in sys.path if entry not in folders)]
    try:
        if module_name.endswith(".py"):
            module = _import_file(file)
        else:
            module = importlib.import_module(module_name)
    except Exception as exc:  # whatever the user's module raises is a sentence for the user
        raise _broken(target, exc, file) from exc
    found = Path(module.__file__).resolve() if module.__file__ else None
    if found != file:
        raise HookError(
            f"hook {target}: {file} has the name of a module that Python has loaded already "
            f"({found or 'built in'}); give it another name",
        )
    return _make(target, module, name, file)


def set_up(hook: Hook) -> None:
    """Run the hook's `setup`; raise HookError."""
    try:
        hook.setup()
    except Exception as exc:  # as above
        raise _broken(f"{hook.target}: setup", exc, hook.file) from exc


def forget(hook: Hook, camera: str) -> None:
    """Run the hook's `forget` of a camera; raise HookError."""
    assert hook.forget is not None
    try:
        hook.forget(camera)
    except Exception as exc:  # as above
        raise _broken(f"{hook.target}: forget", exc, hook.file) from exc


def tear_down(hook: Hook) -> None:
    """Run the hook's `teardown`; what it raises is logged, for the end comes anyway."""
    try:
        hook.teardown()
    except Exception as exc:  # noqa: BLE001  # a user's hook may raise anything
        logger.warning("hook %s: teardown: %s", hook.target, traces.describe(exc, hook.file))


def _import_file(file: Path) -> ModuleType:
    name = file.stem if file.stem not in sys.modules else f"hook_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _make(target: str, module: ModuleType, name: str, file: Path) -> Hook:
    found: Any = getattr(module, name, None)
    if found is None:
        names = [n for n, v in vars(module).items() if callable(v) and not n.startswith("_")]
        raise HookError(
            f"hook {target}: {file} has no {name!r}{_did_you_mean(name, names)}",
        )
    stateful = bool(getattr(found, "stateful", False))
    if inspect.isclass(found):
        try:
            made = found()
        except Exception as exc:  # as above
            raise _broken(target, exc, file) from exc
        process = getattr(made, "process", None)
        _check_process(target, f"{name}.process", process)
        setup = getattr(made, "setup", _nothing)
        teardown = getattr(made, "teardown", _nothing)
        forget = getattr(made, "forget", None)
        return Hook(target, file, process, setup, teardown, stateful, forget)  # type: ignore[arg-type]
    _check_process(target, name, found)
    return Hook(target, file, found, _nothing, _nothing, stateful)


def _check_process(target: str, name: str, process: object) -> None:
    if process is None:
        raise HookError(f"hook {target}: the class has no method process(self, frame)")
    if not callable(process):
        raise HookError(
            f"hook {target}: expected a function or a class, {name} is a {type(process).__name__}"
        )
    if inspect.iscoroutinefunction(process):
        raise HookError(f"hook {target}: expected a plain function, {name} is async")
    try:
        inspect.signature(process).bind(None)
    except TypeError:
        raise HookError(
            f"hook {target}: expected {name} to take one argument, the frame; "
            f"it is {name}{inspect.signature(process)}"
        ) from None
    except ValueError:
        return  # a callable of C that does not tell


def _broken(target: str, exc: Exception, file: Path) -> HookError:
    if isinstance(exc, HookError):
        return exc
    if isinstance(exc, SyntaxError):
        where = f"{exc.filename}:{exc.lineno}: {type(exc).__name__}: {exc.msg}"
        trace = traces.full(exc.with_traceback(None))
        return HookError(f"hook {target}: {where}", trace=trace, file=exc.filename)
    return HookError(f"hook {target}: {traces.describe(exc, file)}", trace=traces.full(exc))


def _modules(folders: Sequence[str]) -> list[str]:
    return [path.stem for folder in folders for path in sorted(Path(folder).glob("*.py"))]


def _did_you_mean(name: str, names: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, names, n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; it has {', '.join(names[:5])}" if names and len(names) <= 5 else ""


def _list(folders: Sequence[str]) -> str:
    return " or ".join(dict.fromkeys(folders))


def _nothing() -> None:
    """Stand in for a setup or teardown that the hook does not have."""
