"""Remedy: what to change in a hook, by what went wrong with it."""

from __future__ import annotations

import re
import sys

_FRAME = "frame.image (the picture), .jpeg, .reduced(2 | 4 | 8), .camera, .epoch, .seq, "
_FRAME += ".captured_at, .age, .width, .height"

#: The first that is found in the error or its traceback counts.
_REMEDIES: tuple[tuple[str, str], ...] = (
    (
        r"No module named '([\w.]+)'",
        "install {0} for the Python that runs the receiver "
        f"({sys.executable} -m pip install ...), "
        "or name the folder that it is in by --hook-path",
    ),
    (
        r"'Frame' object has no attribute '(\w+)'",
        f"the frame is no array, and has no {{0}}; it has {_FRAME}",
    ),
    (
        r"'Frame' object (?:is not|does not|cannot)|got 'Frame'|type\(s\).*Frame"
        r"|Expected Ptr<cv::UMat>|src is not a numpy array",
        "give OpenCV and numpy the picture, frame.image, and not the frame",
    ),
    (r"has no 'process'|there is no function", "name the function behind the colon: module:name"),
    (r"expected .* to take one argument", "define it as: def process(frame):"),
    (r"is async", "define it with def, not async def; what waits belongs in setup or a thread"),
    (
        r"hook returned",
        "return a dict, list, number or text; a picture (height x width x 3, uint8); "
        "(value, picture); or nothing",
    ),
    (r"SyntaxError|IndentationError|TabError", "mend that line; Python cannot read the file"),
    (r"setup took longer", "load less in setup, or give it time: --hook-setup-timeout SECONDS"),
    (
        r"took longer",
        "do less for each frame (frame.reduced(4) is far cheaper), or allow for it: "
        "--hook-timeout SECONDS",
    ),
    (
        r"died \(signal (?:9|6)\b",
        "its process was killed, or gave up: most often for want of memory; try a smaller model or "
        "--hook-workers 1",
    ),
    (
        r"died \(signal",
        "a library crashed, not Python; the lines above say where. Try another version of it",
    ),
    (r"died \(exit code", "it ended its own process: leave out sys.exit, exit and os._exit"),
    (r"has the name of a module", "give the file another name"),
)


def remedy(error: str, trace: str) -> str | None:
    """Return one sentence that says what to change, or None where the error says it all."""
    for text in (error, trace):
        for sign, sentence in _REMEDIES:
            if found := re.search(sign, text):
                return sentence.format(*found.groups())
    return None


def users_part(trace: str) -> str:
    """Return a traceback without the lines of installed libraries, which the user cannot mend."""
    kept: list[str] = []
    is_library = False
    for line in trace.splitlines():
        if line.startswith("  File "):
            is_library = "site-packages" in line or "/lib/python" in line
        elif not line.startswith("    "):
            is_library = False
        if not is_library:
            kept.append(line)
    return "\n".join(kept)
