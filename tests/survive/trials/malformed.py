"""Malformed requests: no bytes that a socket takes make the receiver fail."""

from __future__ import annotations

import importlib.util
import os
import ssl
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests

from tests.certificates import Authority
from tests.fuzz.__main__ import INSTALL, fuzz
from tests.fuzz.targets import TARGETS
from tests.malformed.send import answer, load
from tests.program import Receiver
from tests.survive.receivers import receiver
from tests.survive.trial import Figures, Run, Trial, Unable

_TOKEN = "of-nobody-who-sends-malformed-requests"
#: Of the requests, so many are sent to each of the guarded receivers in a quick run.
_FEW = 10


def malformed(run: Run) -> Figures:
    """Send every request of tests/malformed: in the open, past a token, through and beside TLS."""
    cases = load()
    few = run.random.sample(sorted(cases), _FEW if run.quick else len(cases))
    answers: Counter[str] = Counter()
    host = "--allow-host=receiver.example"

    def send(
        to: Receiver, names: Iterable[str], *also: str, ca: Path | None = None, tls: bool = False
    ) -> None:
        """Send those; `also` are other right answers than a request's own, without a `ca` all."""
        context = ssl.create_default_context(cafile=str(ca)) if tls else None
        url = to.url if ca is None else to.url.replace("http:", "https:")

        def one(name: str) -> None:
            sent, right = cases[name]
            right = [*also] if ca and not tls else [*right, *also]
            got = answer(to.port, sent, tls=context)
            answers[got] += 1
            run.check(got in right, f"{name}: answered {got}, expected one of {', '.join(right)}")
            health = requests.get(f"{url}/healthz", timeout=30, verify=str(ca) if ca else True)
            run.check(health.ok, f"/healthz answered {health.status_code} after {name}")

        with ThreadPoolExecutor(8 if run.quick else 1) as pool:
            list(pool.map(one, names))
        trouble = [line for line in to.lines if "Traceback" in line or "panicked" in line]
        run.check(not trouble, f"the receiver wrote {trouble}")

    with receiver(run, "no-envelope-checks", host) as bare:
        send(bare, cases)
    with Receiver(host, "--token", _TOKEN) as guarded:
        # What is not refused for its form is refused for want of the token.
        send(guarded, few, "4xx")
    authority = Authority(run.folder)
    cert, key = authority.sign("server")
    with Receiver(host, f"--tls-cert={cert}", f"--tls-key={key}") as secret:
        send(secret, few, ca=authority.cert, tls=True)
        send(secret, few, "closed", "alert", ca=authority.cert)
    return {"requests": len(cases), "sent": answers.total(), **dict(sorted(answers.items()))}


def fuzzed(run: Run) -> Figures:
    """Fuzz every target, guided by what is reached; in a quick run, a few changes of its seeds."""
    if run.quick:
        for name, target in TARGETS.items():
            for data in target.start(name):
                for _ in range(50):
                    target.run(_changed(run, data))
        return {"targets": len(TARGETS)}
    if importlib.util.find_spec("atheris") is None:
        raise Unable(INSTALL)
    figures: Figures = {"targets": len(TARGETS)}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        every = pool.map(lambda name: (name, fuzz(name, 60, run.folder)), TARGETS)
        for name, runs in every:
            found = [path.name for path in run.folder.iterdir()]
            run.check(runs is not None, f"{name}: {found}")
            figures[f"runs_of_{name}"] = runs or 0
    return figures


def _changed(run: Run, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(run.random.randrange(1, 5)):
        at = run.random.randrange(len(changed) + 1)
        changed[at : at + run.random.randrange(4)] = run.random.randbytes(run.random.randrange(4))
    return bytes(changed)


TRIALS = [
    Trial(
        "malformed-requests",
        "each of 174 requests that are malformed in one way, with and without a token and TLS, gets"
        " 2xx, 3xx, 4xx or an end, none 5xx, and the receiver lives after it",
        malformed,
        disarm="the checks of a frame's headers: they raise what nobody expects",
    ),
    Trial(
        "fuzzing",
        "a minute of made-up bytes for each reader of pictures, bodies, headers, streams, datagrams"
        " and files, guided by what they reach, raises nothing but what these may raise",
        fuzzed,
    ),
]
