from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from hooks.detector import Detector
from shared import pattern
from tests.hooks.conftest import Show
from tests.hooks.onnx_model import constant_model

#: One object in a 64 x 64 input; the picture is 128 x 64, so the letterbox halves it and adds 16
#: rows above: corners (10, 20) to (30, 40) are (20, 8) to (60, 48) in the picture.
CORNERS = (10.0, 20.0, 30.0, 40.0)
CENTRE = (20.0, 30.0, 20.0, 20.0)
FOUND = [20, 8, 40, 40]


def yolo8() -> npt.NDArray[np.float32]:
    rows = np.zeros((20, 7), np.float32)  # 3 classes
    rows[4] = (*CENTRE, 0.1, 0.2, 0.9)
    rows[5] = (*(np.array(CENTRE) + 1), 0.0, 0.0, 0.8)  # the same object once more
    rows[6] = (*CENTRE, 0.1, 0.2, 0.3)
    return rows.T[None].copy()


def yolo5() -> npt.NDArray[np.float32]:
    rows = np.zeros((20, 8), np.float32)
    rows[4] = (*CENTRE, 0.9, 0.1, 0.2, 1.0)
    rows[6] = (*CENTRE, 0.1, 0.2, 0.3, 1.0)
    return rows[None]


def end_to_end() -> npt.NDArray[np.float32]:
    rows = np.zeros((20, 6), np.float32)
    rows[0] = (*CORNERS, 0.9, 2)
    return rows[None]


def ssd() -> npt.NDArray[np.float32]:
    rows = np.zeros((20, 7), np.float32)
    rows[0] = (0, 2, 0.9, *(np.array(CORNERS) / 64))
    return rows[None, None]


def detector(
    folder: Path, monkeypatch: pytest.MonkeyPatch, output: npt.NDArray[np.float32]
) -> Detector:
    (folder / "model.onnx").write_bytes(constant_model(output, 64, 64))
    (folder / "labels.txt").write_text("cat\ndog\nowl\n")
    monkeypatch.setenv("DETECTOR_MODEL", str(folder / "model.onnx"))
    monkeypatch.setenv("DETECTOR_LABELS", str(folder / "labels.txt"))
    monkeypatch.setenv("DETECTOR_SIZE", "64")
    made = Detector()
    made.setup()
    return made


@pytest.mark.parametrize("output", [yolo8, yolo5, end_to_end, ssd])
def test_the_usual_models_outputs_become_boxes_in_the_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, show: Show, output: Any
) -> None:
    hook = detector(tmp_path, monkeypatch, output())
    value, picture = hook.process(show(pattern.draw(0, 128, 64)))

    assert value == {"objects": [{"label": "owl", "score": 0.9, "box": FOUND}]}
    assert tuple(picture[40, 20]) == (0, 200, 0)


def test_nothing_found_is_an_empty_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, show: Show
) -> None:
    hook = detector(tmp_path, monkeypatch, np.zeros((1, 20, 6), np.float32))

    assert hook.process(show(pattern.draw(0, 128, 64)))[0] == {"objects": []}


def test_a_model_that_is_no_detector_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, show: Show
) -> None:
    hook = detector(tmp_path, monkeypatch, np.zeros((1, 20, 3), np.float32))

    with pytest.raises(ValueError, match=r"output of shape \(1, 20, 3\) is no detector's"):
        hook.process(show(pattern.draw(0, 128, 64)))


def test_without_a_model_it_says_what_it_wants(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DETECTOR_MODEL", "/nowhere/x.onnx")

    with pytest.raises(FileNotFoundError, match=r"expected an ONNX file, got '/nowhere/x\.onnx'"):
        Detector().setup()
