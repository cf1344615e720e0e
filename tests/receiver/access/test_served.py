"""A receiver that asks for tokens, as programs and people meet it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import requests

from receiver.access.token_file import read_tokens
from tests.conftest import MakeFrame, missing
from tests.program import ROOT, Command, Program, Receiver
from tests.shared.access.tokens import bearer

ADMIN, VIEWER, SENDER = "admin-0123456789", "viewer-0123456789", "canary-:@%&=-0123456789"
DOCUMENT = (ROOT / "docs" / "access.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tokens.yaml"
    path.write_text(f"- {{name: wall, role: view, token: {VIEWER}}}\n", encoding="utf-8")
    return path


@pytest.fixture
def receiver(file: Path) -> Iterator[Receiver]:
    with Receiver("--tokens", str(file), env={"RECEIVER_TOKEN": ADMIN}) as receiver:
        yield receiver
    assert "0123456789" not in receiver.output
    assert "Traceback" not in receiver.output


def test_the_lines_of_the_document_work(
    receiver: Receiver, tmp_path: Path, make_frame: MakeFrame
) -> None:
    (tmp_path / "photo.jpg").write_bytes(make_frame(1).data)
    make_clip = "ffmpeg -v error -f lavfi -i testsrc=duration=1:rate=5:size=160x120 clip.mp4"
    subprocess.run(make_clip.split(), cwd=tmp_path, check=True, timeout=30)
    lines = [line for block in blocks("sh") if "$TOKEN" in block for line in block.splitlines()]
    lines = [line for line in lines if line.startswith(("curl", "ffmpeg"))]
    assert len(lines) == 5

    for line in lines:
        done = subprocess.run(
            ["sh", "-c", line.replace("127.0.0.1:8000", f"127.0.0.1:{receiver.port}")],
            cwd=tmp_path,
            env={**os.environ, "TOKEN": ADMIN},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{line}: {done.stderr}"
        assert '"status": 401' not in done.stdout, line

    assert (tmp_path / "door.jpg").read_bytes() == (tmp_path / "photo.jpg").read_bytes()
    assert (tmp_path / "frame3.jpg").exists()
    status = requests.get(f"{receiver.url}/cameras/door", headers=bearer(VIEWER), timeout=30).json()
    assert status["received"] >= 6


def test_opencv_takes_the_token_in_the_address(receiver: Receiver, make_frame: MakeFrame) -> None:
    post(receiver, make_frame(1).data, ADMIN)
    (code,) = blocks("python")

    with Command(
        *(sys.executable, "-c"),
        code.replace("127.0.0.1:8000", f"127.0.0.1:{receiver.port}"),
        env={"TOKEN": VIEWER},
    ) as program:
        program.wait_for(r"\(120, 160, 3\)")


@pytest.fixture
def everybodys_folder() -> Iterator[Path]:
    """A folder for a program that another user runs."""
    with TemporaryDirectory() as folder:
        path = Path(folder)
        path.chmod(0o777)
        yield path


def test_vlc_takes_the_token_in_the_address(
    receiver: Receiver, everybodys_folder: Path, make_frame: MakeFrame
) -> None:
    if shutil.which("cvlc") is None:
        missing("VLC", "apt-get install vlc-bin vlc-plugin-base")
    post(receiver, make_frame(1).data, ADMIN)
    address = f"http://x:{VIEWER}@127.0.0.1:{receiver.port}/cameras/cam1/stream.mjpg"
    dump = everybodys_folder / "dump.mjpg"
    # VLC does not let root start it.
    nobody = ["setpriv", "--reuid=65534", "--clear-groups"] if os.geteuid() == 0 else []

    with Command(
        *(*nobody, "cvlc", "-I", "dummy", "--demux", "dump", "--demuxdump-file", str(dump)),
        address,
        env={"HOME": str(everybodys_folder)},
    ) as player:
        deadline = time.monotonic() + 30
        while not (dump.exists() and b"\xff\xd8\xff" in dump.read_bytes()):
            assert time.monotonic() < deadline, player.output
            post(receiver, make_frame(2).data, ADMIN)
            time.sleep(0.1)


def test_a_sender_says_once_what_is_wrong_and_goes_on_when_its_token_is_known(
    receiver: Receiver, file: Path, tmp_path: Path
) -> None:
    """However its frames travel; and when the token is taken back, both ends notice."""
    cameras = tmp_path / "cameras.yaml"
    cameras.write_text(
        "fps: 20\nsize: 160x120\ncameras:\n"
        "  - {camera: posts, source: testsrc}\n"
        "  - {camera: streams, source: testsrc, transport: stream}\n",
        encoding="utf-8",
    )
    before = file.read_text(encoding="utf-8")
    with Program(
        *("sender", "--config", str(cameras), "--to", receiver.url, "--status-port", "0"),
        env={"SENDER_TOKEN": SENDER},
    ) as sender:
        port = int(sender.wait_for(r"http://127\.0\.0\.1:(\d+)/status")[1])
        for camera in ("posts", "streams"):
            sender.wait_for(
                rf"camera {camera}: {receiver.url} refuses frames \(401\): 'token: expected one "
                "that is known here, got another'; give the right token in SENDER_TOKEN or --token"
            )
        both = "[posts, streams]"
        mine = f"- {{name: mine, role: ingest, cameras: {both}, token: '{SENDER}'}}\n"
        file.write_text(before + mine, encoding="utf-8")
        receiver.wait_for("was read again, 3 tokens are in force")
        for camera in ("posts", "streams"):
            sender.wait_for(f"camera {camera}: frames are taken again")
        told = requests.get(f"http://127.0.0.1:{port}/status", timeout=30).text
        counted = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=30).text
        seen = len(sender.lines)

        with requests.get(
            f"{receiver.url}/cameras/posts/stream.mjpg",
            headers=bearer(VIEWER),
            stream=True,
            timeout=10,
        ) as viewer:
            file.write_text("- {name: x, role: view, token: another-0123456789}", encoding="utf-8")
            while viewer.raw.read(65536):  # it ends
                pass
        for camera in ("posts", "streams"):
            sender.wait_for(rf"camera {camera}: .* refuses frames \(401\)", after=seen)

        assert sender.stop() == 0
    said = [line for line in sender.lines if "refuses frames" in line]
    assert len(said) == 4
    assert "canary" not in sender.output + told + counted
    # Tried again each 5 s, and not 20 times a second.
    refused = re.findall(r"camera (\w+): in all .* refused=(\d+)", sender.output)
    assert {camera for camera, _ in refused} == {"posts", "streams"}
    assert all(int(count) <= 12 for _, count in refused)


def test_who_sends_a_large_picture_with_a_wrong_token_is_told_so(receiver: Receiver) -> None:
    """Else the connection would end while it still sends, and it would never see why."""
    with requests.Session() as session:
        session.headers.update(bearer("wrong-0123456789"))
        for _ in range(30):
            answer = session.post(
                f"{receiver.url}/cameras/cam1/frames", data=bytes(300_000), timeout=10
            )
            assert answer.status_code == 401


@pytest.mark.parametrize(
    ("arguments", "env", "sentence"),
    [
        pytest.param(
            *([], {"RECEIVER_TOKEN": "canary"}),
            r"^receiver: RECEIVER_TOKEN: expected 16 to 256 printable ASCII characters without "
            r"spaces; this makes one: openssl rand -hex 24$",
            id="short",
        ),
        pytest.param(["--token", "canary in the bushes"], {}, r"RECEIVER_TOKEN: exp", id="spaces"),
        pytest.param(
            ["--tokne", "canary-0123456789"], {}, r": --tokne; see --help$", id="misspelt"
        ),
        pytest.param(["--tokne=canary-0123456"], {}, r": --tokne; see --help$", id="misspelt, ="),
        pytest.param(
            ["--tokens", "/nowhere.yaml"], {}, r"/nowhere\.yaml: cannot be read", id="file"
        ),
    ],
)
def test_a_wrong_token_ends_it_with_2_and_is_not_shown(
    arguments: list[str], env: dict[str, str], sentence: str
) -> None:
    with Program("receiver", *arguments, env=env) as program:
        assert program.wait() == 2
        program.wait_for(sentence)
    assert "canary" not in program.output


def test_the_document_s_file_of_tokens_is_one(tmp_path: Path) -> None:
    (text,) = blocks("yaml")
    path = tmp_path / "tokens.yaml"
    path.write_text(text, encoding="utf-8")

    assert [token.grant.name for token in read_tokens(path)] == [
        *("door-sender", "wall", "detector-in-java"),
    ]


def post(receiver: Receiver, data: bytes, token: str) -> None:
    for name in ("cam1", "door"):
        answer = requests.post(
            f"{receiver.url}/cameras/{name}/frames", data, headers=bearer(token), timeout=5
        )
        assert answer.status_code == 202
