"""What the containers install: everything of it is pinned, by version and by hash."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")
DOCKERFILES = ("receiver/Dockerfile", "sender/Dockerfile")


def entries(text: str) -> dict[str, tuple[str, list[str]]]:
    """Return each package's version and the lines of its hashes."""
    found: dict[str, tuple[str, list[str]]] = {}
    name = ""
    for line in text.splitlines():
        if match := re.fullmatch(r"([a-z0-9._-]+)==([^ ;]+)( ; [^\\]+)? \\", line):
            name = match[1]
            found[name] = match[2], []
        elif line.strip() and not line.startswith("#"):
            found[name][1].append(line)
    return found


def required() -> dict[str, str]:
    """Return what requirements.txt names, as the containers have it."""
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    pairs = re.findall(r"^([A-Za-z0-9._-]+)==([^\s#;]+)", text, re.MULTILINE)
    names = {re.sub(r"[._-]+", "-", name.lower()): version for name, version in pairs}
    names["opencv-python-headless"] = names.pop("opencv-python")
    return names


def test_what_the_programs_need_is_locked_in_the_same_versions() -> None:
    locked = {name: version for name, (version, _) in entries(LOCK).items()}
    wrong = {name: v for name, v in required().items() if locked.get(name) != v}

    assert not wrong, "run `make lock`"
    assert len(locked) > len(required())  # what those need is there too


def test_every_package_has_hashes_and_nothing_else() -> None:
    for name, (_, lines) in entries(LOCK).items():
        assert lines, name
        assert all(map(HASH.fullmatch, lines)), name
    assert "://" not in LOCK


@pytest.mark.parametrize("path", DOCKERFILES)
def test_a_container_installs_the_lock_checks_each_hash_and_builds_nothing(path: str) -> None:
    text = (ROOT / path).read_text(encoding="utf-8").replace("\\\n", " ")
    installs = re.findall(r"pip install(.*)", text)

    assert installs
    for options in installs:
        assert "--require-hashes" in options
        assert "--only-binary=:all:" in options
        assert options.endswith("-r requirements.lock")
    assert re.search(r"^USER (?!root)", text, re.MULTILINE)


def test_every_container_has_no_more_rights_than_it_needs() -> None:
    content = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))

    for name, service in content["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["mem_limit"], name
        assert service["pids_limit"] >= 256, name
        assert "privileged" not in service, name
        assert not {"cap_add", "network_mode", "pid", "devices"} & set(service), name
        mounts = service.get("volumes", [])
        assert not any("docker.sock" in mount for mount in mounts), name
        for mount in mounts:
            assert mount.endswith(":ro") or not mount.startswith((".", "/")), f"{name}: {mount}"
