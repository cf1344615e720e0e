"""Limits on the real receiver, and a real sender that brings too much."""

from __future__ import annotations

import re

import pytest
import requests

from tests.program import Program, Receiver
from tests.receiver.bench import wait_until


@pytest.mark.parametrize("transport", ["post", "stream"])
def test_a_sender_that_brings_too_many_frames_comes_more_slowly_and_goes_on(transport: str) -> None:
    with (
        Receiver("--rate-limit-frames", "4") as receiver,
        Program(
            *("sender", "--source", "testsrc", "--fps", "40", "--size", "160x120"),
            *("--to", receiver.url, "--transport", transport),
        ) as sender,
    ):

        def received() -> int:
            answer = requests.get(f"{receiver.url}/cameras/cam1", timeout=10)
            return int(answer.json()["received"]) if answer.ok else 0

        sender.wait_for(r"frames: expected at most 4 a second from one address", seconds=30)
        # Beyond the first ones in a row.
        wait_until("more frames", lambda: received() >= 26, seconds=60)
        told = requests.get(f"{receiver.url}/metrics", timeout=10).text
        assert sender.stop(seconds=60) == 0

    # It rests a second after each refusal, where 40 frames a second come from the source.
    end = re.search(r"in all .*posted=(\d+) .*refused=(\d+)", sender.output)
    assert end is not None
    assert 1 <= int(end[2]) <= int(end[1])
    assert "framepost_refused_access_total{" in told


def test_who_asks_too_often_by_a_proxy_is_refused_and_nobody_else_behind_it() -> None:
    with (
        Receiver("--rate-limit", "1", "--trusted-proxy", "127.0.0.1") as receiver,
        requests.Session() as session,
    ):

        def ask(client: str) -> requests.Response:
            headers = {"X-Forwarded-For": client}
            return session.get(f"{receiver.url}/access", headers=headers, timeout=10)

        for _ in range(1000):
            answer = ask("203.0.113.1")
            if answer.status_code == 429:
                break
        assert answer.status_code == 429
        assert int(answer.headers["Retry-After"]) >= 1
        assert ask("203.0.113.2").status_code == 200
        receiver.wait_for(r"access: refused 203\.0\.113\.1: GET '/access': requests: expected at")
        told = session.get(
            f"{receiver.url}/metrics", headers={"X-Forwarded-For": "203.0.113.3"}, timeout=10
        ).text

    counted = re.search(r'framepost_refused_access_total\{reason="rate"\} (\d+)', told)
    assert counted is not None
    assert float(counted[1]) >= 1
    assert "203.0.113" not in told


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--rate-limit", "0"], "RECEIVER_RATE_LIMIT: expected a number above 0, for each second"),
        (["--rate-limit-frames", "many"], "RECEIVER_RATE_LIMIT_FRAMES: expected a number above 0"),
        (
            ["--trusted-proxy", "10.0.0.0/8,proxy.example"],
            "RECEIVER_TRUSTED_PROXY: expected addresses or networks such as 10.0.0.0/8, separated"
            " by commas, got",
        ),
    ],
)
def test_a_wrong_limit_ends_it_with_2_and_a_sentence(arguments: list[str], sentence: str) -> None:
    with Program("receiver", *arguments) as program:
        assert program.wait() == 2
    assert sentence in program.output
