"""Accounts: whole programs in good weather, and what they counted."""

from __future__ import annotations

import re
import time
from typing import Any

import requests

from tests.program import Program, Receiver
from tests.survive.trial import Figures, Run, Trial

_CAMERAS = 4
_FPS = 10


def clean(run: Run) -> Figures:
    """Let four cameras send in peace, end the sender, and add up what both sides say."""
    seconds = 2 if run.quick else 60
    config = run.folder / "cameras.yaml"
    lines = [f"  - {{camera: cam{n}, source: testsrc}}" for n in range(_CAMERAS)]
    config.write_text("cameras:\n" + "\n".join(lines) + "\n", encoding="utf-8")
    with Receiver("--hook", "tests.witness:Witness") as receiver:
        with Program(
            "sender",
            *("--config", str(config), "--to", receiver.url, "--fps", str(_FPS)),
            *("--size", "640x360", "--status-port", "0"),
        ) as sender:
            port = sender.wait_for(r"http://127\.0\.0\.1:(\d+)/status")[1]
            _wait_for_frames(receiver, _FPS)
            time.sleep(seconds)
            during = _ask(f"http://127.0.0.1:{port}/status")["cameras"]
            run.check(sender.stop() == 0, "the sender did not end in good order")
            ends = re.findall(r"in all captured=(\d+) posted=(\d+)", sender.output)
        seen = _settled(receiver)
    for each in during:
        refused, failed = sum(each["refused"].values()), sum(each["failed"].values())
        told = each["posted"] + each["superseded"] + refused + failed + each["waiting"]
        run.check(
            each["captured"] == told,
            f"{each['camera']}: the sender captured {each['captured']} and can account for {told}",
        )
    for each in seen:
        told = sum(each[name] for name in ("processed", "superseded", "failed", "waiting"))
        run.check(
            each["received"] == told,
            f"{each['camera']}: {each['received']} frames came, and {told} are accounted for",
        )
        run.check(
            each["result"]["disorder"] == 0 and each["result"]["illegible"] == 0,
            f"{each['camera']}: {each['result']}, expected no disorder and nothing illegible",
        )
    captured, posted = (sum(int(end[at]) for end in ends) for at in (0, 1))
    received, processed = (sum(each[name] for each in seen) for name in ("received", "processed"))
    run.check(posted == received, f"{posted} were posted and {received} came")
    share = processed / captured
    if not run.quick:
        run.check(share >= 0.99, f"the hook saw {share:.2%} of what was captured, not 99 %")
    return {
        "captured": captured,
        "posted": posted,
        "received": received,
        "processed": processed,
        "share_processed": round(share, 4),
    }


def _wait_for_frames(receiver: Receiver, count: int) -> None:
    deadline = time.monotonic() + 60
    while sum(each["processed"] for each in _cameras(receiver)) < count * _CAMERAS:
        assert time.monotonic() < deadline, f"too few frames came:\n{receiver.output}"
        time.sleep(0.05)


def _settled(receiver: Receiver) -> list[dict[str, Any]]:
    deadline = time.monotonic() + 30
    while sum(each["waiting"] for each in _cameras(receiver)):
        assert time.monotonic() < deadline, f"the hook does not end:\n{receiver.output}"
        time.sleep(0.05)
    return [_ask(f"{receiver.url}/cameras/{each['camera']}") for each in _cameras(receiver)]


def _cameras(receiver: Receiver) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = _ask(f"{receiver.url}/cameras")["cameras"]
    return found


def _ask(url: str) -> dict[str, Any]:
    answer = requests.get(url, timeout=30)
    answer.raise_for_status()
    content: dict[str, Any] = answer.json()
    return content


TRIALS = [
    Trial(
        "accounts-clean",
        "of four cameras at 10 frames a second the hook sees at least 99 %, in order, and the books"
        " of sender and receiver add up to the frame",
        clean,
    )
]
