"""A receiver that is asked what is hostile at every route, while all that it does is noted.

`python -m tests.receiver.access.driven FOLDER URL [holes]`: prints, as JSON, what the interpreter
told its audit hook (PEP 578) during the requests. A process of its own, for no hook can be taken
out. FOLDER holds secret.txt and planted.py; with `holes` it has one route alone, which does what
it is asked.
"""

from __future__ import annotations

import importlib
import io
import json
import re
import subprocess
import sys
import threading
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import flask
from flask.testing import FlaskClient

from receiver.__main__ import Receiver as Service
from receiver.config import ReceiverConfig
from shared import codec, pattern
from tests.receiver.bench import wait_until

#: Told all the time, and harmless.
_QUIET = ("object.", "sys._", "builtins.id", "code.__new__", "gc.", "cpython.", "array.")
#: Names of parameters and fields that have ever meant more than a value, and those that we have.
_NAMES = (
    *("url", "file", "path", "hook", "module", "import", "cmd", "callback", "next", "template"),
    *("camera", "view", "mode", "action", "name", "key", "fps", "quality", "since", "seconds"),
    *("image", "img", "raw_handle", "model_name", "id", "inputs", "parameters", "to", "source"),
)
_HEADERS = (
    *("X-Frame-Epoch", "X-Frame-Seq", "X-Timestamp", "X-Sent-At", "Prefer", "Content-Digest"),
    *("Traceparent", "Referer", "Origin", "X-Forwarded-For", "X-Forwarded-Host", "Accept", "Range"),
    *("Content-Type", "Content-Encoding", "Inference-Header-Content-Length", "Authorization"),
    *("X-Original-URL", "X-Sendfile", "Last-Event-ID", "If-None-Match", "Cookie", "Forwarded"),
)


class Witness:
    """Keeps what the audit hook is told, and on which thread, while it is `watching`."""

    def __init__(self) -> None:
        self.watching = False
        self.seen: list[list[str]] = []
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.watching and not event.startswith(_QUIET):
            thread = threading.current_thread().name
            told = [thread, event, " ".join(map(_text, arguments))[:2000]]
            if told not in self.seen[-50:]:
                self.seen.append(told)


def _text(argument: object) -> str:
    return argument.decode("latin-1") if isinstance(argument, bytes) else str(argument)


def values(folder: Path, url: str) -> list[str]:
    """Return what means a file, a URL, a module or a process of ours, should somebody ask."""
    secret, touch = folder / "secret.txt", f"touch {folder}/ran"
    return [
        *(str(secret), f"{url}/asked", "planted", f"; {touch} ;"),
        *(f"file://{secret}", "../" * 12 + str(secret)[1:], "planted:process", f"$({touch})"),
        f"{{{{ cycler.__init__.__globals__.os.popen('{touch}').read() }}}}",
        f"!!python/object/apply:os.system ['{touch}']",
        f"cposix\nsystem\n(S'{touch}'\ntR.",  # a pickle
        f'<!DOCTYPE x [<!ENTITY e SYSTEM "file://{secret}">]><x>&e;</x>',
    ]


def do_what_it_says(value: str) -> None:
    if value.startswith("/"):
        Path(value).read_bytes()
    elif value.startswith("http"):
        with suppress(OSError):  # nobody is there
            urllib.request.urlopen(value)
    elif value.startswith(";"):
        subprocess.run(["/bin/true", value], check=True)
    elif value == "planted":
        importlib.import_module(value)


def ask(client: FlaskClient, method: str, path: str, **given: Any) -> None:
    host = {"Host": "localhost"}
    given["headers"] = host | {
        name: value.replace("\n", " ").replace("\x00", "")
        for name, value in given.get("headers", {}).items()
    }
    try:
        answer = client.open(path, method=method, **given)
    except (ValueError, UnicodeError):  # no client can write that
        return
    answer.close()
    assert answer.status_code < 500 or answer.status_code == 503, (method, path, given)


def drive(client: FlaskClient, method: str, rule: str, value: str) -> None:
    """Ask the route with the value wherever a request has room for it."""
    usual = re.sub(r"<(?:[^:>]+:)?(\w+)>", _usual, rule)
    evil = re.sub(r"<(?:[^:>]+:)?(\w+)>", lambda found: quote(value, safe=""), rule)
    deep = re.sub(r"<(?:[^:>]+:)?(\w+)>", lambda found: quote(value, safe="/."), rule)
    fields = dict.fromkeys(_NAMES, value)
    query = "&".join(f"{name}={quote(value, safe='')}" for name in _NAMES)
    for path in {evil, deep} - {rule}:
        ask(client, method, path)
    ask(client, method, f"{usual}?{query}", headers=dict.fromkeys(_HEADERS, value))
    if method not in ("POST", "PUT"):
        return
    ask(client, method, usual, data=value.encode(), content_type="image/jpeg")
    tensor = {"name": value, "shape": [1], "datatype": "BYTES", "data": [value]}
    there = {"shared_memory_region": value, "shared_memory_byte_size": 8}
    tensors = {"inputs": [tensor], "outputs": [tensor | {"parameters": there}]}
    region = {"key": value, "offset": 0, "byte_size": 8}
    for content in (value, fields | region, fields | tensors):
        ask(client, method, usual, json=content)
    ask(client, method, usual, data=fields)
    upload = (io.BytesIO(value.encode()), value.replace("\n", " "))
    ask(client, method, usual, data={"image": upload, "mode": value})


def _usual(found: re.Match[str]) -> str:
    known = {"filename": "base.css", "version": "1", "start": "20261121T140501.123Z"}
    return known.get(found[1], "cam1")


def main(folder: Path, url: str, *, with_holes: bool) -> None:
    sys.path.append(str(folder))
    witness = Witness()
    hook, records = folder / "good_hook.py", folder / "records"
    hook.write_text("def process(frame):\n    return 1\n", encoding="utf-8")
    records.mkdir(exist_ok=True)
    service = Service(
        ReceiverConfig.load(
            ["--hook", "good_hook", "--hook-path", str(folder), "--record", str(records)]
        )
    )
    if with_holes:

        @service.app.get("/hole")
        def fall() -> str:
            if witness.watching:
                do_what_it_says(flask.request.args.get("file", ""))
            return ""

    service.start()
    try:
        client = service.app.test_client()
        wait_until("the hook", lambda: client.get("/readyz").status_code == 200, seconds=60)
        jpeg = codec.encode(pattern.draw(1, 64, 48), 80)
        client.post("/cameras/cam1/frames", data=jpeg, content_type="image/jpeg")
        routes = [
            (method, rule.rule)
            for rule in service.app.url_map.iter_rules()
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
            if rule.rule == "/hole" or not with_holes
        ]
        # What is imported and compiled at the first use is so before, with other values.
        for value in values(folder / "before", "http://127.0.0.1:9")[:2]:
            for method, rule in routes:
                drive(client, method, rule, value)
        witness.watching = True
        for value in values(folder, url):
            for method, rule in routes:
                drive(client, method, rule, value)
        witness.watching = False
    finally:
        service.drain()
        service.stop()
    print(json.dumps({"routes": len(routes), "seen": witness.seen}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], with_holes=sys.argv[3:] == ["holes"])
