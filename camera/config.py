"""The camera's settings: `--name`, CAMERA_NAME, or a YAML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from camera.encoder import check_size
from camera.faults import Fault
from camera.source import TestPattern
from shared.settings import Expect, Settings


def _read_faults(given: Any) -> Any:
    texts = given.split(",") if isinstance(given, str) else given
    for text in texts:
        Fault.parse(text)
    return texts


class CameraConfig(Settings):
    """Simulate an RTSP camera."""

    model_config = SettingsConfigDict(env_prefix="CAMERA_", cli_prog_name="python -m camera")
    secret_fields: ClassVar[frozenset[str]] = frozenset({"password"})

    host: str = Field("127.0.0.1", description="address to listen on; 0.0.0.0 for every network")
    port: Annotated[int, Field(ge=0, le=65535), Expect("a port from 0 (any free one) to 65535")] = (
        Field(8554, description="port to listen on")
    )
    codec: Annotated[Literal["h264", "h265", "mjpeg"], Expect("h264, h265 or mjpeg")] = Field(
        "h264", description="how the video is encoded"
    )
    size: Annotated[
        str | None, Field(pattern=r"^[0-9]{1,5}x[0-9]{1,5}$"), Expect("WIDTHxHEIGHT, as 1280x720")
    ] = Field(
        None, description="WIDTHxHEIGHT (1280x720 for the test pattern, the file's for a file)"
    )
    fps: Annotated[
        float | None, Field(gt=0, le=240), Expect("frames a second, above 0 and up to 240")
    ] = Field(None, description="frames a second (25 for the test pattern, the file's for a file)")
    source: str = Field("testsrc", description="testsrc, or a video file that is played in a loop")
    user: str | None = Field(None, description="who may watch; nobody else may then")
    password: str | None = Field(None, description="best given as CAMERA_PASSWORD")
    gop: Annotated[int | None, Field(ge=1, le=10_000), Expect("a whole number from 1 to 10000")] = (
        Field(None, description="frames from one key frame to the next (one second's)")
    )
    bitrate: Annotated[
        int | None, Field(ge=10_000, le=1_000_000_000), Expect("bits a second, 10000 to 1000000000")
    ] = Field(None, description="bits a second (as many as a fixed quality takes)")
    fault: Annotated[list[str], NoDecode, BeforeValidator(_read_faults)] = Field(
        [], description="what goes wrong, such as stall-after=50 (frames) or corrupt=0.05"
    )
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Expect("debug, info, warning or error")
    ] = Field("info", description="how much to log")
    log_format: Annotated[Literal["text", "json"], Expect("text or json")] = Field(
        "text", description="log lines for people, or a JSON object a line for programs"
    )
    config: Path | None = Field(None, description="YAML file with these settings")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.user is None) != (self.password is None):
            raise ValueError("CAMERA_USER and CAMERA_PASSWORD: expected both or none, got one")
        sizes = [fault.size for fault in self.faults if fault.size is not None]
        if self.dimensions is not None:
            sizes.append(self.dimensions)
        for width, height in sizes:
            if self.source == "testsrc":
                TestPattern(width, height)
            check_size(self.codec, width, height)
        return self

    @property
    def dimensions(self) -> tuple[int, int] | None:
        """The size as width and height in pixels; None where none was wished."""
        if self.size is None:
            return None
        width, height = self.size.split("x")
        return int(width), int(height)

    @property
    def faults(self) -> tuple[Fault, ...]:
        return tuple(Fault.parse(text) for text in self.fault)
