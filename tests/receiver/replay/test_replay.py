"""`python -m receiver.replay`, run as a user runs it: every frame, in order, the same each time."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from shared import codec
from shared.recording import Recording
from tests.program import ROOT, Program
from tests.recordings import Written, make_frames, result_of, write_recording

#: A hook of every kind; a frame's number is read from its pixels.
HOOKS = """
import ctypes, os, time
import cv2
from shared import pattern

def number(frame):
    seq = pattern.read(frame.image).number
    assert seq == frame.seq
    words = sorted({"a", "b", "c"} | {str(seq)}, key=hash)
    return {"seq": seq, "age": frame.age, "camera": frame.camera, "words": words}

def crashes(frame):
    if frame.seq % 5 == 2:
        ctypes.string_at(0)
    if frame.seq % 5 == 3:
        raise ValueError("three")
    return frame.seq

def hangs(frame):
    if frame.seq == 1:
        time.sleep(60)
    return frame.seq

def slow(frame):
    time.sleep(0.1)
    return frame.seq

class Counts:
    stateful = True
    def __init__(self):
        self.seen = {}
    def process(self, frame):
        self.seen[frame.camera] = self.seen.get(frame.camera, 0) + 1
        return [self.seen[frame.camera], len(self.seen) and os.getpid() > 0]

def boxes(frame):
    return {"objects": [{"label": "cat", "score": 0.91, "box": [10, 20, 60, 50]}]}

def odd(frame):
    return {"word": "\\ud800 \\u2192"}

def draws(frame):
    cv2.rectangle(frame.image, (0, 0), (40, 40), (0, 0, 255), -1)
    return None, frame.image

class Broken:
    def setup(self):
        raise OSError("no model")
    def process(self, frame):
        pass
"""


@pytest.fixture
def hooks(tmp_path: Path) -> Path:
    (tmp_path / "offline_hooks.py").write_text(HOOKS)
    return tmp_path


def replay(*arguments: object, status: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "receiver.replay", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == status, done.stderr + done.stdout
    return done


def hook(name: str, hooks: Path) -> list[str]:
    return ["--hook", f"offline_hooks:{name}", "--hook-path", str(hooks)]


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def two_cameras(folder: Path, number: int = 12) -> list[Written]:
    return [
        write_recording(folder, make_frames(number, camera=camera, first=first))
        for camera, first in (("yard", 100), ("door", 0))
    ]


def test_every_run_writes_the_same_bytes_with_one_worker_and_with_many(
    tmp_path: Path, hooks: Path
) -> None:
    two_cameras(tmp_path / "rec")
    written = []
    for number, workers in enumerate(("1", "3", "3")):
        out = tmp_path / f"{number}.jsonl"
        replay(*(tmp_path / "rec", *hook("number", hooks)), *("--out", out, "--workers", workers))
        written.append(out.read_bytes())

    assert written[0] == written[1] == written[2]
    found = lines(tmp_path / "0.jsonl")
    assert [(each["camera"], each["seq"]) for each in found] == [
        (camera, first + n) for n in range(12) for camera, first in (("door", 0), ("yard", 100))
    ]
    assert all(each["result"]["seq"] == each["seq"] for each in found)
    assert found[0].keys() == {
        *("camera", "epoch", "seq", "captured_at", "state", "result", "error")
    }


@pytest.mark.parametrize("isolation", ["process", "thread"])
def test_a_stateful_hook_sees_each_camera_in_order_and_whole(
    tmp_path: Path, hooks: Path, isolation: str
) -> None:
    two_cameras(tmp_path / "rec")
    out = tmp_path / "out.jsonl"

    replay(
        tmp_path / "rec",
        *hook("Counts", hooks),
        *("--out", out, "--workers", "4", "--isolation", isolation),
    )

    for camera in ("door", "yard"):
        counts = [each["result"][0] for each in lines(out) if each["camera"] == camera]
        assert counts == list(range(1, 13))


def test_a_hook_that_crashes_fails_that_frame_and_no_other(tmp_path: Path, hooks: Path) -> None:
    film = write_recording(tmp_path, make_frames(10)).film
    outs = [tmp_path / "1.jsonl", tmp_path / "2.jsonl"]
    for out, workers in zip(outs, "12", strict=True):
        more = ["--out", str(out), "--workers", workers]
        done = replay(film, *hook("crashes", hooks), *more, status=1)

    assert "10 frames" in done.stderr
    assert "6 processed, 4 failed" in done.stderr
    found = lines(outs[0])
    assert [each["seq"] for each in found] == list(range(10))
    for each in found:
        if each["seq"] % 5 == 2:
            assert each["error"] == "hook died (signal 11, segmentation fault)"
        elif each["seq"] % 5 == 3:
            assert each["error"].startswith("ValueError: three (offline_hooks.py:")
        else:
            assert (each["state"], each["result"]) == ("processed", each["seq"])
    assert outs[0].read_bytes() == outs[1].read_bytes()


def test_a_hook_that_hangs_fails_that_frame_and_goes_on(tmp_path: Path, hooks: Path) -> None:
    film = write_recording(tmp_path, make_frames(4)).film

    done = replay(film, *hook("hangs", hooks), "--hook-timeout", "0.5", status=1)

    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each["error"] for each in found] == [
        *(None, "hook took longer than 0.5 s and was killed", None, None)
    ]


def test_ctrl_c_keeps_what_is_done_and_says_how_much(tmp_path: Path, hooks: Path) -> None:
    film = write_recording(tmp_path, make_frames(200)).film
    out = tmp_path / "out.jsonl"

    with Program(
        *("receiver.replay", str(film), *hook("slow", hooks), "--out", str(out)),
        *("--workers", "2"),
    ) as program:
        program.wait_for("is ready")
        program.wait_for(r"hook\[2\].* is ready")
        status = program.stop(signal.SIGINT)

    said = program.wait_for(r"stopped after (\d+) frames")
    assert status == 130
    assert "Traceback" not in program.output
    found = lines(out)
    assert len(found) == int(said[1])
    assert [each["seq"] for each in found] == list(range(len(found)))
    assert all(each["state"] == "processed" for each in found)


def test_a_planted_change_is_found_and_ends_with_1(tmp_path: Path, hooks: Path) -> None:
    film = write_recording(tmp_path, make_frames(6)).film
    old = tmp_path / "old.jsonl"
    replay(film, *hook("boxes", hooks), "--out", old)
    before = lines(old)
    before[3]["result"]["objects"][0]["score"] = 0.87
    before[5]["seq"] = 55
    old.write_text("".join(f"{json.dumps(each)}\n" for each in before))

    done = replay(film, *hook("boxes", hooks), "--compare", old, status=1)

    assert done.stdout == (
        "cam1 e1/3  objects[0].score: 0.87 → 0.91\n4 same, 1 changed, 1 only old, 1 only new\n"
    )


def test_results_are_compared_with_those_that_were_recorded(tmp_path: Path, hooks: Path) -> None:
    frames = make_frames(6)
    value = {"objects": [{"label": "cat", "score": 0.91, "box": [10, 20, 60, 50]}]}
    results = [result_of(frame, value) for frame in frames[::2]]  # it had no time for the others
    film = write_recording(tmp_path, frames, results=results).film

    done = replay(film, *hook("boxes", hooks), "--compare", "recording")
    assert done.stdout == "3 same, 0 changed, 0 only old, 3 only new\n"

    done = replay(film, *hook("number", hooks), "--compare", "recording", status=1)
    assert 'cam1 e1/2  objects: [{"label": "cat"' in done.stdout


def test_a_terminal_that_knows_few_letters_is_no_trouble(tmp_path: Path, hooks: Path) -> None:
    frames = make_frames(1)
    film = write_recording(tmp_path, frames, results=[result_of(frames[0], 5)]).film

    with Program(
        *("receiver.replay", str(film), *hook("odd", hooks), "--compare", "recording"),
        env={"PYTHONIOENCODING": "ascii:strict"},
    ) as program:
        assert program.wait(seconds=60) == 1

    program.wait_for(r"result: 5 \\u2192 \{.*\\ud800")


def test_the_video_shows_what_the_hook_drew_or_found(tmp_path: Path, hooks: Path) -> None:
    written = write_recording(tmp_path / "rec", make_frames(5))
    for name, at in (("draws", (20, 20)), ("boxes", (20, 10))):
        video = tmp_path / f"{name}.mkv"
        replay(written.film, *hook(name, hooks), "--video", video)

        frames = list(Recording.open(video).frames())
        assert [frame.pts for frame in frames] == pytest.approx([0, 0.04, 0.08, 0.12, 0.16])
        before = codec.decode(written.frames[2].data)
        after = codec.decode(frames[2].data)
        assert abs(after[at].astype(int) - before[at]).max() > 60, name


def test_several_cameras_videos_are_files_and_undrawn_frames_stay_as_they_are(
    tmp_path: Path, hooks: Path
) -> None:
    written = two_cameras(tmp_path / "rec", 3)

    replay(tmp_path / "rec", *hook("number", hooks), "--video", tmp_path / "drawn.mkv")

    for each in written:
        frames = Recording.open(tmp_path / f"drawn-{each.frames[0].camera}.mkv").frames()
        assert [frame.data for frame in frames] == [frame.data for frame in each.frames]


def test_a_part_is_replayed_by_its_seconds(tmp_path: Path, hooks: Path) -> None:
    written = write_recording(tmp_path, make_frames(50))

    # As a shell writes cam1/*; no frame comes twice.
    named = (written.sidecar, written.film, written.film.parent)
    done = replay(*named, *hook("number", hooks), "--begin", "0.4", "--end", "0.6")

    assert [json.loads(line)["seq"] for line in done.stdout.splitlines()] == list(range(10, 16))


def test_timings_are_told_where_they_are_wished(tmp_path: Path, hooks: Path) -> None:
    film = write_recording(tmp_path, make_frames(2)).film

    done = replay(film, *hook("slow", hooks), "--timings")

    for line in done.stdout.splitlines():
        assert json.loads(line)["timings"]["hook"] >= 100


def test_a_hook_that_was_edited_meanwhile_stays_what_it_was(tmp_path: Path, hooks: Path) -> None:
    film = write_recording(tmp_path, make_frames(25)).film
    out = tmp_path / "out.jsonl"

    with Program(
        *("receiver.replay", str(film), *hook("slow", hooks), "--out", str(out)),
        *("--workers", "1"),
    ) as program:
        program.wait_for("is ready")
        (hooks / "offline_hooks.py").write_text("def slow(frame):\n    return 'edited'\n")
        assert program.wait() == 0

    assert [each["result"] for each in lines(out)] == list(range(25))


#: What is wrong, and what is said of it.
WRONG = [
    ("{film}", "RECEIVER_HOOK: expected module:name of your algorithm, got none"),
    ("--hook x:y", "the following arguments are required: RECORDING"),
    ("{film} --hook nowhere:y", "there is no module 'nowhere'"),
    ("{film} --hook offline_hooks:nothing", "has no 'nothing'"),
    ("{film} --hook offline_hooks:Broken", "setup: OSError: no model"),
    ("{film} --hook a=offline_hooks:slow", "expected module:name, got 'a="),
    ("{film}x --hook offline_hooks:slow", "there is no such file"),
    ("{film} --hook offline_hooks:slow --begin 9", "there is no frame in this part"),
    (
        "{film} --hook offline_hooks:slow --begin 2 --end 1",
        "RECEIVER_END: expected more than --begin, got '1'",
    ),
    (
        "{film} --hook offline_hooks:slow --out {sidecar}",
        "RECEIVER_OUT: expected another file than what is read",
    ),
    (
        "{film} --hook offline_hooks:slow --video {film}",
        "RECEIVER_VIDEO: expected another file than what is read",
    ),
    (
        "{film} --hook offline_hooks:slow --video a.mkv --out ./a.mkv",
        "RECEIVER_VIDEO: expected another file than --out, a.mkv",
    ),
    (
        "{film} --hook offline_hooks:slow --video a.mp4",
        "RECEIVER_VIDEO: expected a file name that ends in .mkv",
    ),
    (
        "{film} --hook offline_hooks:slow --compare recording",
        "RECEIVER_COMPARE: there is no result in the recordings",
    ),
    (
        "{film} --hook offline_hooks:slow --compare nowhere.jsonl",
        "RECEIVER_COMPARE: nowhere.jsonl cannot be read (No such file or directory)",
    ),
    (
        "{film} --hook offline_hooks:number --out nowhere/a.jsonl",
        "nowhere/a.jsonl: cannot be written (No such file or directory)",
    ),
    (
        "{film} --hook offline_hooks:number --video nowhere/a.mkv",
        "nowhere/a.mkv: cannot be written (No such file or directory)",
    ),
]
#: Starting Python for each of them would take longer than all else.
EACH = """
import sys
from receiver.replay.__main__ import main
for line in sys.stdin:
    print("begin", file=sys.stderr)
    status = main(line.split())
    print("end", status, file=sys.stderr)
"""


def test_what_is_wrong_is_said_in_one_sentence(tmp_path: Path, hooks: Path) -> None:
    written = write_recording(tmp_path, make_frames(2))
    said = subprocess.run(
        [sys.executable, "-c", EACH],
        input="".join(
            f"{line.format(film=written.film, sidecar=written.sidecar)} --hook-path {hooks}\n"
            for line, _ in WRONG
        ),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )

    assert said.stdout == ""
    for (line, expected), answer in zip(WRONG, said.stderr.split("begin\n")[1:], strict=True):
        *_, sentence, end = answer.splitlines()
        assert sentence.startswith("replay: ")
        assert expected in sentence, line
        assert end == ("end 1" if "written" in expected else "end 2"), line
    assert len(list(Recording.open(written.film).frames())) == 2
