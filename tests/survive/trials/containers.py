"""Containers: the promises of a receiver hold in the little room that its container has."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from typing import Any
from urllib.parse import quote

import requests
import yaml

from tests.compose_project import ComposeProject, docker, health
from tests.program import ROOT, Program
from tests.survive import bombs
from tests.survive.trial import Figures, Run, Trial, Unable
from tests.survive.trials.canary import PASSWORD, TOKEN, Places

#: Bytes of the container's memory.
_ROOM = 256 << 20
_HOOK = """def process(frame):
    hoard = []
    while frame.camera == "greedy":
        hoard.append(bytearray(b"x") * (8 << 20))
    return frame.seq
"""


def room(run: Run) -> Figures:
    """Bring frames, bombs, and a frame that makes the hook take all memory that there is."""
    if shutil.which("docker-compose") is None:
        raise Unable("docker-compose; apt-get install docker.io docker-compose")
    if subprocess.run(["docker", "info"], capture_output=True, check=False).returncode != 0:
        raise Unable("a running Docker engine; start the Docker daemon")
    with ComposeProject(f"framepost-room-{os.getpid()}", "demo", _environment(run)) as project:
        project.run("build", "-q", "receiver")
        project.run("up", "-d", "receiver")
        project.wait_until(
            "the receiver is healthy", lambda: project.is_healthy("receiver"), seconds=300
        )
        (container,) = project.containers("receiver")
        _check_rights(run, container)
        url = project.address("receiver", 8000)
        figures = _bring_frames(run, url)
        figures["bombs"] = _bring_bombs(run, url)
        figures |= _take_all_memory(run, url)
        facts = json.loads(docker("inspect", container))[0]
        run.check(facts["RestartCount"] == 0, "the container had to be started anew")
        run.check(health(container) == "healthy", "the container is not healthy at the end")
        peak = _inside(container, "cat", "/sys/fs/cgroup/memory/memory.max_usage_in_bytes")
        figures["peak_mb"] = int(peak) >> 20 if peak.strip().isdigit() else "unknown"
        log = project.run("logs", "--no-color", "receiver")
        figures["places"] = _look_for_secrets(run, container, facts, log)
    run.check("signal 9" in log, "the log does not say how the hook ended")
    return figures


def _environment(run: Run) -> dict[str, str]:
    """Write what docker-compose adds to the project's file, and return what it is to be told."""
    hooks = run.folder / "hooks"
    hooks.mkdir()
    (hooks / "greedy.py").write_text(_HOOK, encoding="utf-8")
    for path in (run.folder, hooks):
        path.chmod(0o755)
    service: dict[str, Any] = {"volumes": [f"{hooks}:/app/trial_hooks:ro"]}
    if run.disarmed:
        service |= {"read_only": False, "user": "root"}
    added = run.folder / "added.yml"
    added.write_text(yaml.safe_dump({"services": {"receiver": service}}), encoding="utf-8")
    return {
        "COMPOSE_FILE": os.pathsep.join([str(ROOT / "docker-compose.yml"), str(added)]),
        "RECEIVER_HOOK": "trial_hooks.greedy:process",
        "RECEIVER_MEMORY": str(_ROOM),
        "RECEIVER_HOOK_TIMEOUT": "120",
        # Nobody listens there; what it says of that names no secret.
        "RECEIVER_RESULT_WEBHOOK": f"http://x:{quote(PASSWORD, safe='')}@127.0.0.1:9/",
        "RECEIVER_WEBHOOK_TOKEN": TOKEN,
    }


def _inside(container: str, *command: str) -> str:
    """Return what the command says in the container, whether it succeeds or not."""
    done = subprocess.run(
        ["docker", "exec", container, *command], capture_output=True, text=True, check=False
    )
    return done.stdout


def _check_rights(run: Run, container: str) -> None:
    status = _inside(container, "cat", "/proc/1/status")
    user = re.search(r"^Uid:\s+(\d+)\s+(\d+)", status, re.MULTILINE)
    run.check(user is not None and "0" not in user.groups(), "the receiver runs as root")
    run.check(
        all(
            re.search(rf"^Cap{kind}:\s+0+$", status, re.MULTILINE) for kind in ("Prm", "Eff", "Bnd")
        ),
        "the receiver has capabilities",
    )
    run.check("NoNewPrivs:\t1" in status, "the receiver may get new privileges")
    written = _inside(container, "sh", "-c", "touch /app/x /etc/x /x 2>/dev/null && echo written")
    run.check("written" not in written, "the container's files can be written")
    limits = json.loads(docker("inspect", container))[0]["HostConfig"]
    run.check(limits["Memory"] == _ROOM, f"the limit of memory is {limits['Memory']}")
    run.check(0 < limits["PidsLimit"] <= 4096, f"the limit of processes is {limits['PidsLimit']}")


def _look_for_secrets(run: Run, container: str, facts: dict[str, Any], log: str) -> int:
    """Look into what Docker tells of the container, but for its environment, which Docker keeps."""
    environment = " ".join(facts["Config"].pop("Env"))
    run.check(TOKEN in environment, "the container was given no token")
    places = Places(run)
    places.look("docker inspect", json.dumps(facts))
    places.look("docker inspect of the image", docker("inspect", facts["Image"]))
    places.look("docker history", docker("history", "--no-trunc", facts["Image"]))
    places.look("docker top", docker("top", container))
    places.look("the container's log", log)
    return places.count


def _bring_frames(run: Run, url: str) -> Figures:
    """Let a sender post for a while; both books must close, and agree."""
    with Program(
        *("sender", "--source", "testsrc", "--fps", "20", "--size", "640x360", "--to", url),
    ) as sender:
        _wait_for(run, url, "processed", 20)
        time.sleep(0 if run.quick else 30)
        run.check(sender.stop(seconds=60) == 0, "the sender did not end in good order")
    found = re.search(r"in all captured=\d+ posted=(\d+)", sender.output)
    deadline = time.monotonic() + 60
    while (camera := _camera(url, "cam1"))["waiting"] and time.monotonic() < deadline:
        time.sleep(0.1)
    done = sum(camera[name] for name in ("processed", "superseded", "failed", "waiting"))
    run.check(camera["received"] == done, f"{camera['received']} came, {done} are accounted for")
    posted = int(found[1]) if found else -1
    run.check(posted == camera["received"], f"{posted} were posted, {camera['received']} came")
    return {"posted": posted, "processed": camera["processed"]}


def _bring_bombs(run: Run, url: str) -> int:
    pictures = bombs.refused((1 if run.quick else 8) << 20)
    for name, data in pictures.items():
        headers = {"Content-Type": "image/jpeg"}
        answer = requests.post(f"{url}/cameras/bomb/frames", data, headers=headers, timeout=60)
        is_right = 400 <= answer.status_code < 500
        run.check(is_right, f"{name}: answered {answer.status_code}, expected a refusal")
    return len(pictures)


def _take_all_memory(run: Run, url: str) -> Figures:
    """Have the hook take more than there is; return what that cost."""
    before = _restarts(url)
    picture = requests.get(f"{url}/cameras/cam1/frame.jpg", timeout=30).content
    headers = {"Content-Type": "image/jpeg", "Prefer": "wait=60"}
    started = time.monotonic()
    answer = requests.post(f"{url}/cameras/greedy/frames", picture, headers=headers, timeout=180)
    run.check(answer.status_code == 500, f"the greedy frame was answered {answer.status_code}")
    again = requests.post(f"{url}/cameras/modest/frames", picture, headers=headers, timeout=180)
    seconds = time.monotonic() - started
    run.check(again.status_code == 200, f"the next frame was answered {again.status_code}")
    restarts = _restarts(url) - before
    run.check(restarts == 1, f"{restarts} restarts of the hook were counted, expected 1")
    run.check(_camera(url, "greedy")["failed"] == 1, "the frame was not counted as failed")
    return {"hook_restarts": restarts, "seconds_until_the_next_frame": round(seconds, 1)}


def _restarts(url: str) -> int:
    text = requests.get(f"{url}/metrics", timeout=30).text
    return sum(
        int(float(count))
        for count in re.findall(r"^framepost_hook_restarts_total\{.*\} (\S+)$", text, re.MULTILINE)
    )


def _camera(url: str, name: str) -> dict[str, Any]:
    answer = requests.get(f"{url}/cameras/{name}", timeout=30)
    found: dict[str, Any] = answer.json() if answer.ok else {}
    return found


def _wait_for(run: Run, url: str, what: str, count: int) -> None:
    deadline = time.monotonic() + 180
    while _camera(url, "cam1").get(what, 0) < count:
        run.check(time.monotonic() < deadline, f"not {count} frames were {what} within 180 s")
        time.sleep(0.1)


TRIALS = [
    Trial(
        "containers-room",
        "in a container of 256 MB, as nobody, without capabilities and with nothing to write to,"
        " books close, every bomb is refused, a hook that takes all memory costs one restart, and"
        " Docker tells secrets in the container's environment alone",
        room,
        disarm="the container's files can be written, by root",
    )
]
