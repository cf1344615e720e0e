"""What a hook's process has of the receiver's environment."""

from __future__ import annotations

import pytest

from tests.receiver.bench import Bench

SECRETS = ("RECEIVER_TOKEN", "RECEIVER_WEBHOOK_TOKEN", "RECEIVER_BUS", "RECEIVER_LISTEN")


def test_a_hook_gets_the_environment_without_the_receiver_s_secrets(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (*SECRETS, "MY_MODEL", "RECEIVER_HOOK_TIMEOUT"):
        monkeypatch.setenv(name, "canary")
    bench.write(
        """
        import os
        from pathlib import Path

        def process(frame):
            mine = Path("/proc/self/environ").read_text() + Path("/proc/self/cmdline").read_text()
            return [sorted(k for k, v in os.environ.items() if v == "canary"), mine.count("canary")]
        """
    )
    bench.start()

    assert bench.show().value == [["MY_MODEL", "RECEIVER_HOOK_TIMEOUT"], 2]
