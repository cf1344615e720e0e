"""Recordings are read as they were written, as far as both of their files go."""

from __future__ import annotations

import json
import random
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import pytest

from shared import result_index
from shared.errors import RecordingError
from shared.recording import RecordedFrame, Recording, find, is_recorded
from shared.result_index import ResultIndex
from tests.recordings import (
    STARTED,
    at_hour,
    make_frames,
    result_of,
    write_film,
    write_recording,
)


def sequence(path: Path) -> list[int]:
    return [frame.seq for frame in Recording.open(path).frames()]


def problem(path: Path) -> str:
    with pytest.raises(RecordingError) as caught:
        list(Recording.open(path).frames())
    assert len(caught.value.problems) == 1
    return caught.value.problems[0]


@pytest.mark.parametrize("which", ["film", "sidecar"])
def test_every_frame_comes_back_as_it_was(tmp_path: Path, which: str) -> None:
    written = write_recording(tmp_path, make_frames(8, first=40))

    recording = Recording.open(getattr(written, which))
    frames = list(recording.frames())

    assert [(f.epoch, f.seq, f.captured_at, f.data) for f in frames] == [
        (f.epoch, f.seq, f.captured_at, f.data) for f in written.frames
    ]
    assert {(f.camera, f.width, f.height) for f in frames} == {("cam1", 160, 120)}
    assert [f.pts for f in frames] == [n * 0.04 for n in range(8)]
    assert (recording.camera, recording.started) == ("cam1", STARTED)
    assert (recording.length, recording.duration, recording.complete) == (8, 0.28, True)


def test_reading_begins_where_one_wishes(tmp_path: Path) -> None:
    recording = Recording.open(write_recording(tmp_path, make_frames(50)).film)

    assert [frame.seq for frame in recording.frames(1.0)] == list(range(25, 50))


def test_results_are_found_by_their_frames(tmp_path: Path) -> None:
    frames = make_frames(4)
    results = [result_of(frame, {"n": frame.seq}) for frame in frames[:3]]
    recording = Recording.open(write_recording(tmp_path, frames, results=results).film)

    found = recording.results()

    assert len(found) == 3
    assert [each["seq"] for each in found] == [0, 1, 2]
    facts = found.get("cam1", "e1", 2)
    assert facts is not None
    assert facts["result"] == {"n": 2}
    for key in (("cam1", "e1", 3), ("cam1", "e2", 2), ("cam2", "e1", 2)):
        assert found.get(*key) is None


def test_a_result_may_stand_after_later_frames_and_the_last_one_counts(tmp_path: Path) -> None:
    frames = make_frames(3)
    written = write_recording(tmp_path, frames)
    with written.sidecar.open("a") as file:
        for value in ("first", "second"):
            file.write(json.dumps({"result": result_of(frames[0], value)}) + "\n")

    facts = Recording.open(written.film).results().get("cam1", "e1", 0)

    assert facts is not None
    assert facts["result"] == "second"


def test_what_is_no_result_is_passed_over(tmp_path: Path) -> None:
    frame = make_frames(1)[0]
    right = result_of(frame, 1)
    path = tmp_path / "results.jsonl"
    wrong: list[Any] = [right | {name: None} for name in ("camera", "epoch", "seq", "captured_at")]
    wrong += [right | {"seq": True}, {"result": 5}, {"result": {}}, [right], None, {"state": 1}]
    lines = [json.dumps(each) for each in [*wrong, right]]
    path.write_text("\n".join([*lines, "{", "\x00", '{"seq": ' + "9" * 5000 + "}"]))

    assert list(ResultIndex(path)) == [right]


@pytest.mark.parametrize("suffix", [".mkv", ".avi", ".mov"])
def test_a_film_alone_is_a_recording_with_numbers_of_its_own(tmp_path: Path, suffix: str) -> None:
    frames = make_frames(6)
    path = tmp_path / f"front door{suffix}"
    write_film(path, [f.data for f in frames], [n * 40 for n in range(6)], size=(160, 120))

    recording = Recording.open(path)
    found = list(recording.frames())

    assert [f.data for f in found] == [f.data for f in frames]
    assert [f.seq for f in found] == list(range(6))
    assert {(f.camera, f.epoch) for f in found} == {("front-door", "19700101T000000.000Z")}
    assert [f.captured_at for f in found] == pytest.approx([n * 0.04 for n in range(6)], abs=1e-3)
    assert (recording.length, recording.duration) == (6, 0.2)


def test_a_film_whose_sidecar_is_lost_is_known_by_folder_and_name(tmp_path: Path) -> None:
    written = write_recording(tmp_path, make_frames(3, camera="yard"))
    written.sidecar.unlink()

    recording = Recording.open(written.film)

    assert (recording.camera, recording.started) == ("yard", STARTED)
    assert [f.captured_at for f in recording.frames()] == pytest.approx(
        [f.captured_at for f in written.frames], abs=1e-3
    )
    with pytest.raises(RecordingError, match=r"has no results, for there is no \.jsonl"):
        recording.results()


def test_a_film_cut_anywhere_gives_the_frames_before_the_cut(tmp_path: Path) -> None:
    written = write_recording(tmp_path, make_frames(12))
    whole = written.film.read_bytes()
    for size in range(0, 500, 31):
        written.film.write_bytes(whole[:size])
        with pytest.raises(RecordingError, match="is no film"):
            Recording.open(written.film)

    most = 0
    for size in range(900, len(whole) + 331, 331):
        written.film.write_bytes(whole[:size])
        found = sequence(written.film)
        assert found == list(range(len(found)))
        assert len(found) >= most
        most = len(found)

    assert most == 12


def test_a_sidecar_cut_anywhere_gives_the_frames_before_the_cut(tmp_path: Path) -> None:
    written = write_recording(tmp_path, make_frames(4))
    whole = written.sidecar.read_bytes()
    head = whole.index(b"\n")
    for size in range(len(whole)):
        written.sidecar.write_bytes(whole[:size])
        if size < head:
            with pytest.raises(RecordingError, match="expected a recording's lines"):
                Recording.open(written.film)
            continue
        lines = whole[: size + 1].count(b'"pts_ms"') if size else 0
        found = sequence(written.film)
        assert found in (list(range(lines)), list(range(lines - 1)))
        assert not Recording.open(written.film).complete or size >= len(whole) - 1


def test_garbage_between_the_lines_costs_only_what_it_hits(tmp_path: Path) -> None:
    written = write_recording(tmp_path, make_frames(10))
    lines = written.sidecar.read_bytes().splitlines(keepends=True)
    for seed in range(50):
        rng = random.Random(seed)
        hit = rng.randrange(1, 11)
        torn = bytearray(lines[hit])
        for _ in range(rng.randrange(1, 40)):
            torn[rng.randrange(len(torn) - 1)] = rng.randrange(256)
        garbage = [b"\xff\x00\n", b"[1, 2]\n", b'{"frame": 3}\n', b"[" * 5000 + b"\n"]
        new = [*lines[:hit], bytes(torn), rng.choice(garbage), *lines[hit + 1 :]]
        written.sidecar.write_bytes(b"".join(new))

        assert len(set(sequence(written.film)) & set(range(10))) >= 8


def test_damage_in_the_film_costs_only_pictures(tmp_path: Path) -> None:
    written = write_recording(tmp_path, make_frames(10))
    whole = written.film.read_bytes()
    right = {frame.seq: len(frame.data) for frame in written.frames}
    for seed in range(60):
        rng = random.Random(seed)
        torn = bytearray(whole)
        at = rng.randrange(1200, len(torn) - 400)
        torn[at : at + 300] = rng.randbytes(300)
        written.film.write_bytes(bytes(torn))

        found = list(Recording.open(written.film).frames())

        assert all(len(frame.data) == right[frame.seq] for frame in found)
        assert [f.seq for f in found] == sorted({f.seq for f in found})


def test_a_film_of_a_codec_that_nobody_knows_is_none(tmp_path: Path) -> None:
    written = write_recording(tmp_path, make_frames(2))
    whole = written.film.read_bytes()
    written.film.write_bytes(whole.replace(b"V_MJPEG", b"V_NOBDY"))

    with pytest.raises(RecordingError, match="got a codec that FFmpeg does not know"):
        Recording.open(written.film)


def test_what_a_crash_left_is_said_to_be_incomplete(tmp_path: Path) -> None:
    recording = Recording.open(write_recording(tmp_path, closed=False).film)

    assert not recording.complete
    assert (recording.length, recording.duration) == (5, 0.16)


def test_the_end_is_taken_at_its_word_and_else_the_frames_are_counted(tmp_path: Path) -> None:
    written = write_recording(tmp_path, make_frames(6))
    lines = written.sidecar.read_text().splitlines()
    ends: list[Any] = [
        *({"frames": 900, "seconds": 36.0}, {"frames": 6}, {"frames": "6", "seconds": None}, []),
    ]
    said = []
    for end in ends:
        written.sidecar.write_text("\n".join([*lines[:-1], json.dumps({"end": end}), ""]))
        recording = Recording.open(written.film)
        said.append((recording.length, recording.duration, recording.complete))

    assert said == [(900, 36.0, True), (6, 0.2, True), (6, 0.2, True), (6, 0.2, True)]


def test_a_sidecar_of_another_film_is_told(tmp_path: Path) -> None:
    one = write_recording(tmp_path / "one", make_frames(6))
    other = write_recording(tmp_path / "other", make_frames(6, size=(320, 240)))
    one.sidecar.write_bytes(other.sidecar.read_bytes())

    assert problem(one.film) == (
        f"{one.sidecar}: tells of other pictures than those in {one.film.name}"
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"camera": "cam1"}', "expected a recording's lines"),
        ("", "expected a recording's lines"),
        ('{"recording": 2}', "expected a recording of version 1, got 2"),
        ('{"recording": 1, "camera": "../x", "started": 1}', 'expected "camera" and "started"'),
        ('{"recording": 1, "camera": "a", "started": null}', 'expected "camera" and "started"'),
    ],
)
def test_a_sidecar_that_is_none_is_told_in_one_sentence(
    tmp_path: Path, line: str, said: str
) -> None:
    written = write_recording(tmp_path)
    written.sidecar.write_text(f"{line}\n")

    assert said in problem(written.film)
    assert not is_recorded(written.film)


def test_what_is_no_recording_is_told_in_one_sentence(tmp_path: Path) -> None:
    text = tmp_path / "a.mkv"
    text.write_text("hello")
    film = tmp_path / "b.mkv"
    with av.open(str(film), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height = 64, 64
        for packet in stream.encode(av.VideoFrame(64, 64, "yuv420p")) + stream.encode(None):
            container.mux(packet)
    lonely = tmp_path / "c.jsonl"
    lonely.write_text("")
    (tmp_path / "empty").mkdir()

    assert problem(text) == f"{text}: is no film that FFmpeg can read"
    assert problem(film) == f"{film}: expected Motion JPEG, as recordings have it, got mpeg4"
    assert problem(lonely) == f"{lonely}: there is no c.mkv beside it"
    assert problem(tmp_path / "d.mkv") == f"{tmp_path / 'd.mkv'}: there is no such file"
    with pytest.raises(RecordingError, match="there is no recording in it"):
        find(tmp_path / "empty")


def test_a_folder_is_read_by_camera_and_time(tmp_path: Path) -> None:
    frames = make_frames(2, camera="b")
    for hours in (2, 0, 1):
        write_recording(tmp_path, at_hour(frames, hours))
    write_recording(tmp_path, make_frames(2, camera="a"))
    write_film(tmp_path / "b" / "drawn.mkv", [frames[0].data], [0], size=(160, 120))

    found = find(tmp_path)

    assert [(each.camera, round((each.started - STARTED) / 3600)) for each in found] == [
        ("a", 0),
        ("b", 0),
        ("b", 1),
        ("b", 2),
    ]
    assert is_recorded(tmp_path / "b")
    assert is_recorded(tmp_path)


def test_a_huge_sidecar_is_never_in_memory_as_a_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(result_index, "MAX_LINE", 1 << 18)
    frames = make_frames(1)
    written = write_recording(tmp_path, frames)
    with written.sidecar.open("a") as file:
        for seq in range(300):
            value = "x" * 100_000
            file.write(json.dumps({"result": result_of(replace(frames[0], seq=seq), value)}))
            file.write("\n")
        file.write("y" * 20_000_000)
        file.write("\n" + json.dumps({"result": result_of(replace(frames[0], seq=300), "z")}))
    recording = Recording.open(written.film)

    tracemalloc.start()
    try:
        results = recording.results()
        last = results.get("cam1", "e1", 300)
        kept = list(recording.frames())
        assert recording.length == 1
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert last is not None
    assert last["result"] == "z"
    assert len(results) == 301
    assert len(kept) == 1
    assert isinstance(kept[0], RecordedFrame)
    assert peak < 6_000_000
