"""Malformed requests: no bytes that a socket takes make the receiver fail."""

from __future__ import annotations

import ssl
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests

from tests.certificates import Authority
from tests.malformed.send import answer, load
from tests.program import Receiver
from tests.survive.receivers import receiver
from tests.survive.trial import Figures, Run, Trial

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


TRIALS = [
    Trial(
        "malformed-requests",
        "each of 174 requests that are malformed in one way, with and without a token and TLS, gets"
        " 2xx, 3xx, 4xx or an end, none 5xx, and the receiver lives after it",
        malformed,
        disarm="the checks of a frame's headers: they raise what nobody expects",
    )
]
