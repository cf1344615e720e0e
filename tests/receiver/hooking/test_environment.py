"""What a hook's process has of the receiver's environment."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.receiver.bench import Bench

SECRETS = (
    *("RECEIVER_TOKEN", "RECEIVER_WEBHOOK_TOKEN"),
    *("RECEIVER_BUS", "RECEIVER_LISTEN", "RECEIVER_RESULT_WEBHOOK"),
)


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


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has it")
def test_where_memory_runs_out_a_hook_is_ended_before_the_receiver(bench: Bench) -> None:
    bench.write(
        """
        from pathlib import Path

        def process(frame):
            return int(Path("/proc/self/oom_score_adj").read_text())
        """
    )
    bench.start()

    assert bench.show().value > int(Path("/proc/self/oom_score_adj").read_text())
