"""Triton's own Python client against a real receiver."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.program import ROOT, Receiver

HOOK = """
import cv2
import numpy as np

def process(frame):
    if frame.camera == "broken":
        raise ValueError("no colours here")
    blue, green, red = (float(each) for each in cv2.mean(frame.image)[:3])
    cv2.circle(frame.image, (20, 20), 10, (255, 255, 255))
    return {
        "camera": frame.camera,
        "blue": round(blue),
        "red": round(red),
        "means": np.array([blue, green, np.nan], np.float32),
        "labels": np.array(["sea", "grün"]),
        "bright": np.array([True, False]),
        "none": np.zeros((0, 4)),
    }, frame.image
"""


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the program saw."""
    folder = tmp_path_factory.mktemp("hooks")
    Path(folder, "colours.py").write_text(HOOK, encoding="utf-8")
    with Receiver("--hook", "colours", "--hook-path", str(folder)) as receiver:
        receiver.wait_for("is ready")
        done = subprocess.run(
            [
                *(sys.executable, "-W", "error", "-m", "tests.receiver.kserve.triton_program"),
                f"127.0.0.1:{receiver.port}",
            ],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.stderr == ""
    assert done.returncode == 0
    assert "a bug in" not in receiver.output
    return json.loads(done.stdout)


def test_it_finds_the_server_and_the_model(seen: Any) -> None:
    server = seen["server"]

    assert [server[word] for word in ("live", "ready", "model_ready", "other_ready")] == [
        *(True, True, True, False)
    ]
    assert "binary_tensor_data" in server["metadata"]["extensions"]
    assert server["model"]["inputs"][0]["name"] == "image"
    assert server["config"]["max_batch_size"] == 0
    assert server["index"] == [{"name": "colours", "version": "1", "state": "READY", "reason": ""}]


def test_its_pixels_reach_the_hook(seen: Any) -> None:
    pixels = seen["pixels"]

    assert (pixels["binary"]["blue"], pixels["binary"]["red"]) == (200, 0)
    assert (pixels["rgb"]["blue"], pixels["rgb"]["red"]) == (0, 200)
    assert pixels["json"]["blue"] == 200
    assert (pixels["binary"]["camera"], pixels["rgb"]["camera"]) == ("kserve", "yard")
    assert pixels["id"] == "7"


def test_its_encoded_pictures_reach_the_hook_compressed_or_not(seen: Any) -> None:
    assert [abs(value["blue"] - 200) <= 2 for value in seen["encoded"]] == [True] * 3


@pytest.mark.parametrize("form", ["binary", "json"])
def test_it_reads_the_hooks_arrays(form: str, seen: Any) -> None:
    told = seen["outputs"][form]

    assert (told["means"]["datatype"], told["means"]["dtype"]) == ("FP32", "float32")
    assert told["means"]["values"][:2] == [200, 0]
    assert told["means"]["values"][2] != told["means"]["values"][2], "NaN"
    assert (told["labels"]["datatype"], told["labels"]["values"]) == ("BYTES", ["sea", "grün"])
    assert (told["bright"]["datatype"], told["bright"]["values"]) == ("BOOL", [True, False])
    assert (told["none"]["datatype"], told["none"]["values"]) == ("FP64", [])


def test_it_gets_the_picture_when_it_asks_for_it(seen: Any) -> None:
    assert seen["outputs"]["picture"] == [120, 160, 3]
    assert seen["outputs"]["every"] == ["result", "means", "labels", "bright", "none"]


def test_it_can_read_our_errors(seen: Any) -> None:
    errors = seen["errors"]

    assert errors["model"] == "404: model: expected one of colours; got 'nobody'"
    assert errors["output"].startswith("400: output: expected one of result, means")
    assert errors["hook"].startswith("500: ")
    assert "no colours here" in errors["hook"]
    assert errors["load"].startswith("400: ")
    assert errors["trace"] == "404: GET /v2/trace/setting: there is no such route"
    assert errors["cuda"].startswith("400: cuda shared memory is not taken")
    assert errors["region"] == "404: Unable to find system shared memory region: 'nobody'"


def test_it_may_ask_several_things_at_once(seen: Any) -> None:
    assert seen["concurrent"] == [200] * 8


def test_its_shared_memory_carries_both_ways(seen: Any) -> None:
    memory = seen["memory"]

    assert (memory["value"]["blue"], memory["value"]["red"]) == (200, 0)
    assert memory["means"][:2] == [200, 0]
    assert memory["status"] == ["frames"]
    assert memory["again"] == "400: shared memory region 'frames' already in manager"
    assert memory["left"] == []


def test_it_is_told_what_it_did(seen: Any) -> None:
    [statistics] = seen["statistics"]["model_stats"]

    assert statistics["inference_count"] >= 18
    assert statistics["inference_stats"]["fail"]["count"] == 2
