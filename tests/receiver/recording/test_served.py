"""Recording by the real program: its threads, sockets and ends."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests

from receiver.recording.shelf import Shelf
from shared import codec, pattern
from tests.conftest import missing
from tests.program import Program, Receiver
from tests.receiver.recording.conftest import frame_lines, lines, pictures, videos

JPEGS = [codec.encode(pattern.draw(number, 640, 480), 85) for number in range(50)]


@contextmanager
def posting(receiver: Receiver, *cameras: str, fps: float = 50) -> Iterator[list[float]]:
    """Post pictures meanwhile; gives when each was taken, Unix seconds, growing."""
    done, taken, trouble = threading.Event(), [0.0], []
    epoch = f"{time.time():.6f}"

    def run() -> None:
        with requests.Session() as session:
            seq = 0
            while not done.wait(1 / fps):
                for camera in cameras or ("cam1",):
                    headers = {"Content-Type": "image/jpeg", "X-Frame-Seq": str(seq)}
                    headers |= {"X-Frame-Epoch": epoch, "X-Timestamp": f"{time.time():.6f}"}
                    url = f"{receiver.url}/cameras/{camera}/frames"
                    try:
                        reply = session.post(url, JPEGS[seq % 50], headers=headers, timeout=30)
                    except requests.ConnectionError:
                        return  # it was killed
                    if reply.status_code not in (202, 503):
                        trouble.append(reply.text)
                taken.append(time.time())
                seq += 1

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield taken
    finally:
        done.set()
        thread.join(30)
    assert not trouble


def until(true: Callable[[], Any], *, within: float = 30) -> None:
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline
        threading.Event().wait(0.05)


def listed(receiver: Receiver) -> dict[str, Any]:
    reply: dict[str, Any] = requests.get(f"{receiver.url}/recordings", timeout=30).json()
    return reply


def is_free(url: str) -> bool:
    return requests.get(url, timeout=30).status_code == 200


def test_a_killed_receiver_loses_less_than_its_last_second(tmp_path: Path) -> None:
    if shutil.which("ffmpeg") is None:
        missing("ffmpeg", "apt-get install ffmpeg")
    with Receiver("--record", str(tmp_path)) as receiver, posting(receiver) as taken:
        until(lambda: len(taken) > 75)
        os.killpg(receiver.pid, signal.SIGKILL)
        killed = time.time()
        assert receiver.wait() == -signal.SIGKILL

    (path,) = videos(tmp_path)
    told = frame_lines(path.with_name(f"{path.stem}.jsonl"))
    found = pictures(path)
    assert len(found) >= len(told) > 50
    assert killed - told[-1]["captured_at"] < 2
    for line, (at, jpeg) in zip(told, found, strict=False):
        assert (at, jpeg) == (line["pts_ms"], JPEGS[line["seq"] % 50])
    play = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "null", "-"]
    assert subprocess.run(play, capture_output=True, text=True, check=True).stderr == ""

    # The next one goes on in another file, and lists what broke off as such.
    with Receiver("--record", str(tmp_path)) as receiver:
        with posting(receiver) as taken:
            until(lambda: len(taken) > 10)
        recordings = listed(receiver)["recordings"]
    assert [one["complete"] for one in recordings] == [False, False]
    assert recordings[1]["frames"] == len(told)
    assert ["end" in lines(log)[-1] for log in sorted(tmp_path.glob("*/*.jsonl"))] == [False, True]


def test_a_stopped_receiver_ends_its_recordings_in_time(tmp_path: Path) -> None:
    cameras = [f"cam{n}" for n in range(8)]
    with Receiver("--record", str(tmp_path), "--hook", "tests.sightings:process") as receiver:
        with posting(receiver, *cameras, fps=20) as taken:
            until(lambda: len(taken) > 20)
        started = time.monotonic()
        assert receiver.stop() == 0
        assert time.monotonic() - started < 25
        assert not [line for line in receiver.lines if "Traceback" in line or "WARNING" in line]

    logs = sorted(tmp_path.glob("*/*.jsonl"))
    assert len(logs) == 8
    for log in logs:
        told = lines(log)
        assert told[-1]["end"]["frames"] == len(frame_lines(log)) >= 20
        frames = {line["seq"] for line in frame_lines(log)}
        results = {line["result"]["seq"] for line in told if "result" in line}
        assert results
        assert results <= frames


def test_a_full_disk_stops_the_recording_and_nothing_else(tmp_path: Path) -> None:
    """On a disk of 1 MiB: what fits is kept, and with a limit it goes on for ever."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1M", "tmpfs", str(tmp_path)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("a small disk cannot be mounted here")
    try:
        with Receiver("--record", str(tmp_path)) as receiver, posting(receiver) as taken:
            receiver.wait_for("cam1 cannot be written .No space left on device.")
            status = listed(receiver)["recording"]
            assert (status["on"], status["free_bytes"] < 100_000) == (False, True)
            said, before = len(receiver.lines), len(taken)
            until(lambda: len(taken) > before + 60)  # frames are taken as before
            assert len(receiver.lines) == said  # said once
            ready = requests.get(f"{receiver.url}/readyz", timeout=30)
            assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
            for path in videos(tmp_path):
                path.unlink()
            receiver.wait_for("recording: frames are written again")
        options = ["--record-max-size", "700kB", "--record-segment", "1"]
        with Receiver("--record", str(tmp_path), *options) as receiver, posting(receiver) as taken:
            until(lambda: len(taken) > 120)
            recorded = listed(receiver)["recording"]["cameras"]["cam1"]["recorded"]
            until(
                lambda: listed(receiver)["recording"]["cameras"]["cam1"]["recorded"] > recorded + 25
            )
            assert 0 < sum(one.bytes for one in Shelf(tmp_path).all()) < 1 << 20
    finally:
        subprocess.run(["umount", "-l", str(tmp_path)], check=True)


def test_what_lies_there_at_the_start_counts(tmp_path: Path) -> None:
    with Receiver("--record", str(tmp_path)) as receiver, posting(receiver) as taken:
        until(lambda: len(taken) > 25)
    (old,) = videos(tmp_path)
    with Receiver("--record", str(tmp_path), "--record-max-size", "1kB") as receiver:
        until(lambda: not old.exists())
        metrics = requests.get(f"{receiver.url}/metrics", timeout=30).text
    assert "framepost_recording_removed_total 1.0" in metrics


def test_a_hook_in_its_own_process_begins_a_recording(tmp_path: Path) -> None:
    (tmp_path / "watching.py").write_text(
        "def process(frame):\n    return {'record': 0.5} if frame.seq == 40 else None\n"
    )
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    options = ["--record", str(shelf), "--record-when", "event", "--record-before", "0.4"]
    hook = ["--hook", "watching:process", "--hook-path", str(tmp_path)]
    with Receiver(*options, *hook) as receiver:
        receiver.wait_for("is ready")
        with posting(receiver) as taken:
            until(lambda: len(taken) > 110)
        (facts,) = listed(receiver)["recordings"]
    assert facts["events"] == 1

    (log,) = shelf.glob("*/*.jsonl")
    seqs = [line["seq"] for line in frame_lines(log)]
    # Less than a second of some fifty frames a second, with the one that the hook saw within.
    assert 40 in seqs
    assert seqs[0] > 5
    assert seqs[-1] < 100


def test_a_recording_is_played_and_left_by_whoever_goes_away(tmp_path: Path) -> None:
    with Receiver("--record", str(tmp_path), "--max-viewers", "1") as receiver:
        with posting(receiver) as taken:
            until(lambda: len(taken) > 100)
        name = listed(receiver)["recordings"][0]["name"]
        for path in (f"{name}/play?speed=0.2", f"{name}.mkv"):
            connection = http.client.HTTPConnection("127.0.0.1", receiver.port, timeout=30)
            connection.request("GET", f"/recordings/cam1/{path}")
            reply = connection.getresponse()
            assert (reply.status, len(reply.read(1000))) == (200, 1000)
            url = f"{receiver.url}/recordings/cam1/{name}/play?speed=64"
            connection.close()
            reply.close()
            until(partial(is_free, url))
        with posting(receiver) as taken:  # a viewer does not keep the receiver from its end
            until(lambda: len(taken) > 10)
            name = listed(receiver)["recordings"][-1]["name"]
            url = f"{receiver.url}/recordings/cam1/{name}/play?speed=0.1"
            playing = requests.get(url, stream=True, timeout=30)
            started = time.monotonic()
            assert receiver.stop() == 0
            assert time.monotonic() - started < 25
            assert b'"reason":"the receiver is shutting down"' in playing.content


def test_a_part_of_a_file_is_fetched(tmp_path: Path) -> None:
    with Receiver("--record", str(tmp_path)) as receiver:
        receiver.wait_for(f"recording all cameras into {tmp_path}; nothing is ever removed")
        with posting(receiver) as taken:
            until(lambda: len(taken) > 50)
        until(lambda: listed(receiver)["recording"]["cameras"]["cam1"]["recorded"] >= 50)
        name = listed(receiver)["recordings"][0]["name"]
        url = f"{receiver.url}/recordings/cam1/{name}.mkv"
        part = requests.get(url, headers={"Range": "bytes=1000-200999"}, timeout=30)
        whole = requests.get(url, timeout=30)
        assert (part.status_code, part.content) == (206, whole.content[1000:201_000])
        assert whole.content == (tmp_path / "cam1" / f"{name}.mkv").read_bytes()


def test_a_folder_that_is_not_there_is_named_at_the_start(tmp_path: Path) -> None:
    with Program("receiver", "--port", "0", "--record", str(tmp_path / "nowhere")) as program:
        assert program.wait() == 2
    assert program.output == (
        "receiver: RECEIVER_RECORD: expected a folder that is there and can be written to, "
        f"got '{tmp_path / 'nowhere'}'"
    )


def test_a_senders_frames_are_recorded_with_their_numbers_and_times(tmp_path: Path) -> None:
    with (
        Receiver("--record", str(tmp_path)) as receiver,
        Program("sender", "--source", "testsrc", "--size", "320x240", "--to", receiver.url),
    ):
        until(lambda: listed(receiver)["recordings"])
        until(lambda: listed(receiver)["recordings"][0]["frames"] > 40)
    (path,) = videos(tmp_path)
    told = frame_lines(path.with_name(f"{path.stem}.jsonl"))
    found = pictures(path)

    assert len(told) == len(found) > 40
    for line, (_, jpeg) in zip(told, found, strict=True):
        mark = pattern.read(codec.decode(jpeg))
        assert mark is not None
        assert mark.number == line["seq"]
        assert abs(mark.time - line["captured_at"]) < 0.1
        assert 0 <= line["received_at"] - line["captured_at"] < 10
