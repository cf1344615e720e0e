"""The import law: who may lean on whom, read from the sources themselves."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("shared", "sender", "receiver", "camera", "hooks")

#: package -> packages that it must not import.
FORBIDDEN = {
    "shared": {"sender", "receiver", "camera", "hooks"},
    "sender": {"receiver", "camera", "hooks"},
    "receiver": {"sender", "camera", "hooks"},
    "camera": {"sender", "receiver", "hooks"},
    "hooks": {"sender", "camera"},
}
#: library -> files and folders that are its home.
HOMES = {
    "av": {
        "sender/sources/",
        "sender/rtsp/decoder.py",
        "sender/picture.py",
        "sender/planes.py",
        "shared/film.py",
        "receiver/replay/video.py",
        "camera/",
    },
    "flask": {
        *("shared/problem.py", "shared/view/", "shared/access/refusal.py"),
        *("sender/status.py", "sender/view/"),
        *("receiver/app.py", "receiver/body.py", "receiver/view/", "receiver/access/"),
        *("receiver/deepstack.py", "receiver/door.py", "receiver/kserve/"),
        *(
            "receiver/contract.py",
            "receiver/control.py",
            "receiver/health.py",
            "receiver/ingest.py",
            "receiver/shortcut.py",
            "receiver/status.py",
            "receiver/stream.py",
            "receiver/feeds/events.py",
            "receiver/hooking/routes.py",
            "receiver/recording/recording.py",
            "receiver/recording/routes.py",
        ),
    },
    "granian": {"receiver/server.py"},
    "marshal": set(),
    "multiprocessing": {"receiver/server.py"},
    "opentelemetry": {"shared/spans.py"},
    "pickle": set(),
    "pydantic": {
        "shared/settings.py",
        "sender/config.py",
        "sender/values.py",
        "receiver/config.py",
        "receiver/access/config.py",
        "receiver/replay/config.py",
        "receiver/names.py",
        "receiver/recording/config.py",
        "sender/view/config.py",
        "shared/access/own_token.py",
        "camera/config.py",
    },
    "redis": {"shared/redis_line.py", "shared/redis_socket.py", "receiver/bus/"},
    "requests": {"sender/sources/"},
    "rich": {"receiver/top/"},
    "simplejpeg": {"shared/codec.py"},
    "urllib3": {"sender/sources/"},
    "yaml": {"shared/settings.py"},
    "zmq": {
        *("shared/curve.py", "shared/zmq_socket.py"),
        *("receiver/listeners/zmq_hub.py", "receiver/listeners/zmq_listener.py"),
        *("receiver/listeners/zmq_subscriber.py", "sender/carriers/zmq_carrier.py"),
    },
}


def sources(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


@cache
def imports(path: Path) -> set[str]:
    """Return every module that the file names in an import, in full."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: import by full name, so that a reader sees from where"
            module = node.module or ""
            found |= {module} | {f"{module}.{alias.name}" for alias in node.names}
    return found


ALL = [pytest.param(path, id=str(path.relative_to(ROOT))) for p in PACKAGES for path in sources(p)]


@pytest.mark.parametrize("path", ALL)
def test_a_package_imports_only_what_it_may(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    used = {module.split(".")[0] for module in imports(path)}
    if path.relative_to(ROOT) == Path("camera/demo.py"):
        return  # it starts the other programs, by their command lines

    assert not used & FORBIDDEN[package]


@pytest.mark.parametrize("path", ALL)
def test_nobody_imports_a_main(path: Path) -> None:
    assert not {module for module in imports(path) if "__main__" in module.split(".")}


@pytest.mark.parametrize("path", ALL)
def test_settings_stop_at_main(path: Path) -> None:
    entry_points = {"__main__.py", "config.py"}
    importing = {m for m in imports(path) if m.split(".")[1:2] == ["config"]}

    assert not importing or path.name in entry_points


@pytest.mark.parametrize("path", ALL)
def test_a_library_stays_at_home(path: Path) -> None:
    relative = str(path.relative_to(ROOT))
    for library, homes in HOMES.items():
        if library in {module.split(".")[0] for module in imports(path)}:
            at_home = relative in homes or any(
                home.endswith("/") and relative.startswith(home) for home in homes
            )
            assert at_home, f"{library} belongs in {sorted(homes) or 'no file'}"


def users_of(module: str) -> set[str]:
    """Return the packages besides shared that import shared.module."""
    return {
        package
        for package in PACKAGES
        if package != "shared"
        for path in sources(package)
        if f"shared.{module}" in imports(path)
    }


def shared_name(path: Path) -> str:
    """Return what stands behind `shared.` where the module is imported."""
    return ".".join(path.relative_to(ROOT / "shared").with_suffix("").parts)


def shared_users_of(module: str) -> set[str]:
    """Return the other modules of shared that import it."""
    return {
        shared_name(path)
        for path in sources("shared")
        if shared_name(path) != module and f"shared.{module}" in imports(path)
    }


@pytest.mark.parametrize(
    "module", [shared_name(path) for path in sources("shared") if path.stem != "__init__"]
)
def test_what_is_shared_is_used_by_at_least_two(module: str) -> None:
    users = users_of(module)
    inside = shared_users_of(module)
    # What only shared/ uses is part of what uses it.
    through = {package for other in inside for package in users_of(other)}

    assert len(users) >= 2 or (users and inside) or len(through) >= 2, (
        f"only {sorted(users)} uses shared/{module}.py: move it to the package that uses it"
    )


@pytest.mark.parametrize("path", ALL)
def test_a_file_holds_one_noun(path: Path) -> None:
    assert path.stem not in {"utils", "common", "helpers", "tools", "misc", "types"}
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 250


@pytest.mark.parametrize("library", ["redis", "zmq"])
@pytest.mark.parametrize("program", ["receiver", "sender"])
def test_a_program_that_needs_none_of_it_starts_without_the_time_to_load_it(
    program: str, library: str
) -> None:
    code = f"import sys, {program}.__main__; sys.exit('{library}' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_a_sender_without_a_status_port_starts_without_the_time_to_load_flask() -> None:
    code = "import sys, sender.__main__; sys.exit('flask' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
