"""The replay's settings: `--name` or RECEIVER_NAME."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic_settings import CliPositionalArg, SettingsConfigDict

from receiver.names import Names, Paths
from shared.settings import Expect, Settings

Seconds = Annotated[float, Field(gt=0, le=86400), Expect("seconds above 0")]
Moment = Annotated[float, Field(ge=0), Expect("seconds from 0")]


class ReplayConfig(Settings):
    """Run a hook on every frame of recordings, and compare its results with earlier ones.

    Ends with 0, with 1 when results changed (or, without --compare, when the hook failed on a
    frame), with 2 when settings or recordings are wrong, with 130 after Ctrl-C.
    """

    model_config = SettingsConfigDict(
        env_prefix="RECEIVER_", cli_prog_name="python -m receiver.replay"
    )

    recording: CliPositionalArg[
        Annotated[Paths, Field(min_length=1), Expect("files or folders of recordings")]
    ] = Field(description="recordings (.mkv or .jsonl), other films of Motion JPEG, or folders")
    hook: Annotated[str, Field(min_length=1), Expect("module:name of your algorithm")] = Field(
        description="module:name of your algorithm"
    )
    hook_path: Paths = Field([], description="more folders to look for hooks in")
    out: Path | None = Field(
        None, description="file for the results, one JSON object a line; - for the standard output"
    )
    video: Path | None = Field(
        None,
        description="file (.mkv) for the frames as the hook drew them, or with what it found drawn",
    )
    compare: Path | None = Field(
        None,
        description="earlier results to compare with: a file of --out, or the word recording for"
        " those that were recorded",
    )
    tolerance: Annotated[float, Field(ge=0), Expect("a number from 0")] = Field(
        0.0, description="differences of numbers that count as none; of larger ones the share"
    )
    ignore: Names = Field(
        [], description="places that are not compared, such as age or objects[].track"
    )
    differences: Annotated[int, Field(ge=0), Expect("a whole number from 0")] = Field(
        20, description="how many differences to list"
    )
    begin: Moment = Field(0.0, description="leave out what is earlier, in seconds of the recording")
    end: Moment | None = Field(None, description="leave out what is later")
    workers: Annotated[int, Field(ge=1, le=256), Expect("a whole number from 1 to 256")] | None = (
        Field(None, description="how many workers run the hook; default: one for each core")
    )
    isolation: Annotated[Literal["process", "thread"], Expect("process or thread")] = Field(
        "process", description="run the hook in processes of its own, or in threads to debug it"
    )
    hook_timeout: Seconds = Field(
        10.0, description="seconds for one frame, then the hook is killed"
    )
    hook_setup_timeout: Seconds = Field(120.0, description="seconds for a hook to load its model")
    annotated_quality: Annotated[
        int, Field(ge=1, le=100), Expect("a whole number from 1 to 100")
    ] = Field(85, description="JPEG quality of the pictures that the hook draws")
    timings: bool = Field(
        False, description="write also what decoding and the hook took, in milliseconds"
    )
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Expect("debug, info, warning or error")
    ] = Field("info", description="how much to log")

    @classmethod
    def cross_check(cls, given: Mapping[str, Any]) -> Sequence[str]:
        """Look at what no single setting shows."""
        try:
            if float(given["end"]) <= float(given.get("begin", 0)):
                return [f"RECEIVER_END: expected more than --begin, got {given['end']!r}"]
        except (KeyError, TypeError, ValueError):
            pass
        return []
