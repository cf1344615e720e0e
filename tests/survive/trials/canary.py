"""Canary: a password and a token that must come out nowhere, whatever goes wrong."""

from __future__ import annotations

import base64
import html
import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import quote

import psutil
import requests

from tests.collector import Collector
from tests.program import Program, Receiver
from tests.survive.trial import Figures, Run, Trial

PASSWORD = "u.s@er:p@ss/w#rd%"
TOKEN = "t.k@n:p@ss/w#rd%-0123456789abcdef"
#: Parts that stay where the end of a password was guessed too early.
_TAILS = ("ss/w#rd", "p%40ss", "w%23rd", "ss%2Fw", "ss%2fw", "p@ss")
_HOOK = """import os
def process(frame):
    print(dict(os.environ), flush=True)
    raise ValueError("no")
"""


def forms(secret: str) -> set[str]:
    """Return the ways in which a program may have written the secret."""
    found = {secret, quote(secret, safe=""), quote(secret), html.escape(secret), repr(secret)[1:-1]}
    found |= {quote(secret, safe="").lower(), secret.replace("/", "\\/"), json.dumps(secret)[1:-1]}
    for user in ("", "admin:", "x:", ":"):
        encoded = base64.b64encode(f"{user}{secret}".encode()).decode()
        found |= {encoded.rstrip("="), quote(encoded, safe="").rstrip("=")}
    return found


ALL_FORMS = forms(PASSWORD) | forms(TOKEN) | set(_TAILS)


class Places:
    """Collects what programs let out, by where."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.count = 0
        self.size = 0

    def look(self, where: str, text: str) -> None:
        self.count += 1
        self.size += len(text)
        for form in ALL_FORMS:
            at = text.find(form)
            shown = text[max(0, at - 80) : at + 80]
            self._run.check(at < 0, f"{where}: {form!r} came out in {shown!r}")

    def look_at_arguments(self, program: Program) -> None:
        """Look at what everybody on the machine sees of the program and its children."""
        process = psutil.Process(program.pid)
        for each in [process, *process.children(recursive=True)]:
            try:
                self.look(f"the arguments of {each.name()}", " ".join(each.cmdline()))
            except psutil.NoSuchProcess:
                continue


@contextmanager
def answering(status: int) -> Iterator[int]:
    """Serve nothing but the status; yield the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(status)

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, name="answering")
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def canary(run: Run) -> Figures:
    """Let everything fail whose settings hold secrets, and look into all that comes out."""
    places = Places(run)
    with ExitStack() as stack:
        hole = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        ports = [stack.enter_context(answering(status)) for status in (401, 404)]
        hosts = [f"127.0.0.1:{port}" for port in (9, hole.getsockname()[1], *ports)]
        hosts.append("no-such-host.invalid")
        collector = stack.enter_context(Collector())
        _sender_with_trouble(run, places, hosts, collector)
        if run.disarmed:
            return {"places": places.count}
        _receiver_with_trouble(run, places)
        for program, arguments, env in _short_ones(run, hosts):
            with Program(program, *arguments, env=env) as one:
                one.wait(seconds=120)
            places.look(f"{program} {' '.join(arguments)} with {' '.join(env)}", one.output)
    return {"places": places.count, "characters": places.size, "forms": len(ALL_FORMS)}


def _sender_with_trouble(run: Run, places: Places, hosts: list[str], collector: Collector) -> None:
    """A sender of cameras that all fail in their way, to receivers that do."""
    lines = []
    for number, host in enumerate(hosts):
        for kind, password in (("encoded", quote(PASSWORD, safe="")), ("bare", PASSWORD)):
            for scheme in ("rtsp", "http"):
                url = f"{scheme}://admin:{password}@{host}/live"
                lines.append(f"  - {{camera: {scheme}-{kind}-{number}, source: '{url}'}}")
    lines.append("  - {camera: good, source: testsrc}")
    config = run.folder / "cameras.yaml"
    config.write_text("cameras:\n" + "\n".join(lines) + "\n", encoding="utf-8")
    to = f"http://x:{quote(PASSWORD, safe='')}@127.0.0.1:9"
    arguments = [
        *("--config", str(config), "--open-timeout", "1", "--read-timeout", "1", "--fps", "5"),
        *("--status-port", "0", "--trace-to", collector.url, "--trace-ratio", "1"),
    ]
    module = ["tests.survive.disarmed", "no-redact", "sender"] if run.disarmed else ["sender"]
    spool = run.folder / "spool"
    deliveries = {"json": ("--delivery", "every", "--spool", str(spool)), "text": ()}
    for form in ("json",) if run.quick else ("json", "text"):
        env = {"SENDER_TOKEN": TOKEN, "SENDER_TO": to, "SENDER_LOG_FORMAT": form}
        with Program(module[0], *module[1:], *arguments, *deliveries[form], env=env) as sender:
            port = sender.wait_for(r"http://127\.0\.0\.1:(\d+)/status", seconds=60)[1]
            for line in lines:
                camera = line.split()[2].rstrip(",")
                sender.wait_for(rf"camera {camera}: ", seconds=90)
            time.sleep(0 if run.quick else 30)
            for path in ("status", "metrics", "healthz"):
                answer = requests.get(f"http://127.0.0.1:{port}/{path}", timeout=30)
                places.look(f"the sender's /{path}", answer.text)
            places.look_at_arguments(sender)
            sender.stop(seconds=60)
        places.look(f"the sender's log as {form}", sender.output)
    _look_into(run, places, spool)
    for span in collector.spans:
        places.look("a span", str(span))


def _receiver_with_trouble(run: Run, places: Places) -> None:
    """A receiver whose webhook, listener and hook fail, asked for all that it tells."""
    (run.folder / "canary_hook.py").write_text(_HOOK, encoding="utf-8")
    records = run.folder / "records"
    records.mkdir()
    password = quote(PASSWORD, safe="")
    env = {
        "RECEIVER_TOKEN": TOKEN,
        "RECEIVER_WEBHOOK_TOKEN": TOKEN,
        "RECEIVER_RESULT_WEBHOOK": f"http://x:{password}@127.0.0.1:9/",
        "RECEIVER_LISTEN": f"redis://:{password}@127.0.0.1:9/0?topic=image",
    }
    arguments = ["--hook", "canary_hook", "--hook-path", str(run.folder), "--record", str(records)]
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    with (
        Receiver(*arguments, env=env) as receiver,
        Program(
            *("sender", "--source", "testsrc", "--fps", "5", "--camera", "good"),
            *("--size", "160x120", "--to", receiver.url),
            env={"SENDER_TOKEN": TOKEN},
        ) as sender,
    ):
        get = partial(requests.get, timeout=30)
        deadline = time.monotonic() + 90
        while not get(f"{receiver.url}/cameras/good", headers=bearer).json().get("failed"):
            run.check(time.monotonic() < deadline, f"no frame failed:\n{receiver.output}")
            time.sleep(0.1)
        for path in (
            *("cameras", "cameras/good", "cameras/good/result", "metrics", "webhooks", "access"),
            *("hooks", "hooks/log", "recordings", "healthz", "readyz", "history", "nothing", ""),
        ):
            for headers in (bearer, {"Authorization": f"Bearer {TOKEN}x"}, {}):
                answer = get(f"{receiver.url}/{path}", headers=headers)
                places.look(f"/{path}", answer.text + str(answer.headers))
        for program in (receiver, sender):
            places.look_at_arguments(program)
        sender.stop(seconds=60)
        receiver.stop(seconds=60)
    places.look("the receiver's log", receiver.output)
    places.look("the sender's log", sender.output)
    _look_into(run, places, records)


def _look_into(run: Run, places: Places, folder: Path) -> None:
    """Look into every file below the folder; there has to be one with something in it."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    run.check(any(file.stat().st_size for file in files), f"nothing is in {folder.name}")
    for file in files:
        places.look(f"{folder.name}: {file.name}", file.read_bytes().decode("latin-1"))


def _short_ones(run: Run, hosts: list[str]) -> Iterator[tuple[str, list[str], dict[str, str]]]:
    """Yield programs that end by themselves: module, arguments, environment."""
    password = quote(PASSWORD, safe="")
    url = f"rtsp://admin:{PASSWORD}@{hosts[0]}/live"
    broken = run.folder / "broken.yaml"
    broken.write_text(f"token: {TOKEN}: :\n  source: '{url}\n", encoding="utf-8")
    misspelt = {"SENDER_SOURCE": f"rstp{url[4:]}", "SENDER_TOKEN": TOKEN}
    bug = ("tests.survive.disarmed", ["bug-with-url", "sender"])
    yield "sender", ["--check-seconds", "1"], {"SENDER_CHECK": url}
    yield "sender", ["--quality", "high"], misspelt
    yield *bug, {"SENDER_SOURCE": url}
    yield *bug, {"SENDER_SOURCE": f"http{url[4:]}"}
    receiver = {
        "RECEIVER_TOKEN": f"{TOKEN} and a space",
        "RECEIVER_WEBHOOK_TOKEN": f"{TOKEN} and a space",
        "RECEIVER_BUS": f"redis://:{PASSWORD}@h:port/0",
        "RECEIVER_LISTEN": f"redis://:{PASSWORD}@h:port/0",
        "RECEIVER_RESULT_WEBHOOK": f"ftp://x:{PASSWORD}@h/",
        "RECEIVER_TRACE_TO": f"http://x:{PASSWORD}@h:port/",
    }
    yield "receiver", [], receiver
    if not run.quick:
        yield *bug, {"SENDER_SOURCE": url, "SENDER_LOG_FORMAT": "json"}
        yield *bug, {"SENDER_SOURCE": f"http{url[4:]}", "SENDER_LOG_FORMAT": "json"}
        yield "sender", ["--check-json"], {"SENDER_CHECK": url.replace(PASSWORD, password)}
        yield "sender", ["--help"], {"SENDER_SOURCE": url, "SENDER_TOKEN": TOKEN}
        yield "sender", ["--config", str(broken)], {}
        yield "receiver", ["--help"], receiver
        yield "receiver", ["--config", str(broken)], {}
        yield "receiver.worker", [], receiver
        yield "receiver.worker", ["--help"], receiver
        yield "camera", ["--help"], {"CAMERA_PASSWORD": PASSWORD}
        yield "camera", ["--port", "none"], {"CAMERA_USER": "x", "CAMERA_PASSWORD": PASSWORD}


TRIALS = [
    Trial(
        "secrets-canary",
        "a camera's password and a token, bare, encoded, in base64 or as JSON, come out nowhere:"
        " not in logs, answers, metrics, spans, recordings, spools or arguments, whatever fails",
        canary,
        disarm="passwords are not taken out of URLs",
        disarm_quick=True,
    )
]
