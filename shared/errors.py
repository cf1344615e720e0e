"""The errors of Framepost.

* FramepostError
  x ConfigError    a setting is wrong: the program ends with 2 and this sentence
    * RecordingError   files are no recording that can be read
  x FrameError     these bytes or these headers are no frame that we take

Errors that only one side raises live beside the code that raises them.
"""

from __future__ import annotations


class FramepostError(Exception):
    """The root: whatever Framepost raises on purpose."""


class ConfigError(FramepostError):
    """Raised when settings are wrong; `problems` holds one sentence for each."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class RecordingError(ConfigError):
    """Raised with one sentence when files are no recording that can be read."""


class FrameError(FramepostError):
    """Raised when a body or an envelope is not a frame that we take.

    `status` is the HTTP status that says so, `reason` a word of a small closed set, fit for a
    metric's label.
    """

    def __init__(self, message: str, *, status: int, reason: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
