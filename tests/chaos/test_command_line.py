"""The proxy from a terminal."""

from __future__ import annotations

import re
import signal
import subprocess
import sys

import pytest
import requests

from tests.chaos.__main__ import parse
from tests.program import ROOT, Program
from tests.sender.doubles import PostServer


def test_it_says_where_it_listens_and_ends_with_control_c() -> None:
    with (
        PostServer() as server,
        Program(
            "tests.chaos",
            *("--to", f"127.0.0.1:{server.port}", "--latency", "1", "--jitter", "1"),
            *("--rate", "100mbit", "--slice", "1000", "--cut", "0", "--seed", "4"),
        ) as proxy,
    ):
        url = proxy.wait_for(r"(http://[^ ]+) leads to .*; seed 4", seconds=40)[1]
        assert requests.post(url, data=b"x" * 5000, timeout=30).status_code == 202
        assert proxy.stop(signal.SIGINT) == 0

    assert "0 of 1 replies were cut" in proxy.output
    assert "Traceback" not in proxy.output


def test_it_obeys_what_is_typed() -> None:
    with PostServer() as server:
        command = [sys.executable, "-m", "tests.chaos", "--to", f"127.0.0.1:{server.port}"]
        with subprocess.Popen(
            command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as proxy:
            assert proxy.stdin is not None
            assert proxy.stdout is not None
            found = re.search(r"http://\S+", proxy.stdout.readline())
            assert found is not None
            try:
                for order in ("refuse", "what"):
                    proxy.stdin.write(f"{order}\n")
                    proxy.stdin.flush()
                assert "expected black-hole" in proxy.stdout.readline()
                with pytest.raises(requests.ConnectionError):
                    requests.get(found[0], timeout=30)
            finally:
                proxy.send_signal(signal.SIGINT)
                proxy.wait(30)

    assert proxy.returncode == 0


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("--rate", "fast", "2mbit"),
        ("--rate", "0mbit", "2mbit"),
        ("--to", "somewhere", "HOST:PORT"),
        ("--cut", "30", "from 0 to 1"),
        ("--latency", "-3", "milliseconds"),
        ("--slice", "0", "bytes of 1 or more"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    option: str, value: str, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        parse(["--to", "127.0.0.1:1", f"{option}={value}"])

    said = capsys.readouterr().err
    assert option in said
    assert expected in said
    assert repr(value) in said
