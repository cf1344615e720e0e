"""Names: strangers who make up cameras and tokens fill no memory, no metrics and no disk."""

from __future__ import annotations

import http.client
import time
import tracemalloc
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import psutil
import requests

from shared import codec, pattern
from shared.access.guesses import Guesses
from shared.access.network import ADDRESSES
from tests.survive.receivers import receiver
from tests.survive.trial import Figures, Run, Trial

_JPEG = codec.encode(pattern.draw(1, 64, 48), 80)
_TYPE = {"Content-Type": "image/jpeg"}
_CAMERAS = 128
#: Of all metrics together, for a camera.
_SERIES = 64
_WRONG = [
    "../x",
    "..",
    ".hidden",
    "/etc/passwd",
    "a/../../b",
    "a\\..\\b",
    "C:\\x",
    "a\0b",
    "a\nb",
    "a\r\nX-Injected: 1",
    "<img src=x onerror=alert(1)>",
    '"><script>',
    "{{7*7}}",
    "${jndi:ldap://x}",
    "a' OR '1'='1",
    "%2e%2e%2fx",
    "a b",
    "a+b",
    "a*",
    "(a+)+$",
    "[a-z]",
    "c\u0430m1",
    "cam\u200b1",
    "\u202ecam",
    "\u0661",
    "\uff41",
    "cam\u00e9",
    "\U0001f4f7",
    "a" * 65,
    "a" * 10_000,
    "-a",
    "_a",
]


def cameras(run: Run) -> Figures:
    """Post from very many cameras, and from ones whose names are none."""
    count = 1_500 if run.quick else 100_000
    records = run.folder / "records"
    records.mkdir()
    before = _files(run.folder)
    arguments = [f"--max-cameras={_CAMERAS}", f"--record={records}"]
    with receiver(run, "any-number-of-cameras", *arguments) as served:
        serving = psutil.Process(served.pid).children()[0]
        for name in _WRONG:
            for route in ("/cameras/{}/frames", "/image_post?camera={}"):
                path = route.format(quote(name, safe=""))
                reply = requests.post(f"{served.url}{path}", _JPEG, headers=_TYPE, timeout=60)
                run.check(
                    reply.status_code in (400, 404, 405),
                    f"{name[:40]!r} by {path[:12]}: {reply.status_code}, expected 400 or 404",
                )
                run.check("X-Injected" not in reply.headers, f"{name!r} wrote a header")
        names = [f"{run.random.randrange(1 << 60):x}.{number}" for number in range(count)]
        statuses = _post(served.port, names[:_CAMERAS])
        run.check(statuses == {202: _CAMERAS}, f"the first ones were answered {statuses}")
        _post(served.port, names[_CAMERAS : _CAMERAS + 500])
        rss = serving.memory_info().rss
        started = time.monotonic()
        statuses = _post(served.port, names[_CAMERAS + 500 :])
        # Who sent nothing for a minute makes room for another.
        most = _CAMERAS * int((time.monotonic() - started) / 60 + 1)
        growth = (serving.memory_info().rss - rss) / (1 << 20)
        told = requests.get(f"{served.url}/metrics", timeout=60).text
        series = sum(not line.startswith("#") for line in told.splitlines())
        shown = len(requests.get(f"{served.url}/cameras", timeout=60).json()["cameras"])
    taken = statuses.pop(202, 0)
    run.check(set(statuses) <= {429}, f"beyond the limit: {statuses}, expected 429")
    run.check(taken <= most, f"beyond the limit {taken} were taken, expected at most {most}")
    run.check(shown == _CAMERAS, f"{shown} cameras are known, expected {_CAMERAS}")
    run.check(series < _CAMERAS * _SERIES, f"{series} series, expected {_SERIES} a camera at most")
    run.check(growth < 20, f"the receiver grew {growth:.0f} MB, expected less than 20")
    stray = {path for path in _files(run.folder) - before if not path.is_relative_to(records)}
    run.check(not stray, f"there are files beside the recordings: {stray}")
    return {
        "names": count,
        "wrong_names": len(_WRONG),
        "series": series,
        "growth_mb": round(growth, 1),
    }


def tokens(run: Run) -> Figures:
    """Guess tokens from very many addresses."""
    count = 20_000 if run.quick else 1_000_000
    now = 0.0
    guesses = Guesses(clock=lambda: now)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(count):
            now += 0.001
            address = f"2001:db8:{number >> 16:x}:{number & 0xFFFF:x}::"
            for guess in range(3):
                guesses.take(address, b"%032d" % (3 * number + guess))
        grown = (tracemalloc.get_traced_memory()[0] - before) / (1 << 20)
    finally:
        tracemalloc.stop()
    run.check(len(guesses) <= ADDRESSES, f"{len(guesses)} addresses are remembered")
    run.check(grown < 3, f"they take {grown:.1f} MB, expected less than 3")
    return {"addresses": count, "remembered": len(guesses), "mb": round(grown, 2)}


def _post(port: int, names: list[str]) -> Counter[int]:
    def post(some: list[str]) -> Counter[int]:
        statuses: Counter[int] = Counter()
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        for name in some:
            line.request("POST", f"/cameras/{name}/frames", _JPEG, _TYPE)
            reply = line.getresponse()
            reply.read()
            statuses[reply.status] += 1
        line.close()
        return statuses

    with ThreadPoolExecutor(4) as pool:
        return sum(pool.map(post, [names[start::4] for start in range(4)]), Counter())


def _files(folder: Path) -> set[Path]:
    """Return the files where a receiver could write by mistake: beside its own, and in the root."""
    roots = (folder, Path.cwd(), Path("/"), Path.home())
    beside = {path for root in roots for path in root.iterdir() if path.is_file()}
    return beside | set(folder.rglob("*"))


TRIALS = [
    Trial(
        "names-of-cameras",
        "of 100,000 made-up cameras 128 are taken at a time, the others get 429, for less than 20"
        " MB and 64 series of metrics each; of names that are none nothing gets to the disk",
        cameras,
        disarm="the limit of cameras",
    ),
    Trial(
        "guessed-tokens",
        "tokens guessed from a million addresses take less than 3 MB",
        tokens,
    ),
]
