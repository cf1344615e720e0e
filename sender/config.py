"""The sender's settings: `--name`, SENDER_NAME, or a YAML file, which may list several cameras."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic_settings import CliSuppress, SettingsConfigDict

from sender.carriers.contract import CarrierOptions
from sender.sources.contract import SourceOptions
from sender.values import (
    SOURCE,
    Age,
    Bytes,
    Camera,
    Depth,
    Fps,
    Quality,
    Seconds,
    Size,
    Source,
    Switch,
    To,
    check_cameras,
    parse_pixels,
)
from sender.view.config import ViewConfig
from shared.amount import parse_age, parse_size
from shared.redact import redact
from shared.settings import Expect, Token, TraceRatio, TraceTo


class CameraConfig(BaseModel):
    """What may differ from camera to camera."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    camera: Camera = Field("cam1", description="the camera's name at the receiver")
    source: Source | None = Field(
        None,
        description="where its frames come from: rtsp://..., http://... (MJPEG or a JPEG), udp://,"
        " srt://, a video file, a recording or a folder of them, a folder of images, a device"
        " number, or testsrc",
    )
    to: To = Field(
        "http://127.0.0.1:8000",
        description="the receiver; with a path, the URL is used as it stands; or a Redis that"
        " receivers read: redis://HOST:PORT/0?key=cam1&topic=img0; or udp://HOST:PORT; or an"
        " imageZMQ hub, zmq://HOST:PORT, or its subscribers, zmq+pub://127.0.0.1:PORT",
    )
    fps: Fps | None = Field(None, description="frames a second at most; default: all")
    size: Size | None = Field(None, description="scale to WIDTHxHEIGHT; default: as they come")
    quality: Quality = Field(80, description="JPEG quality")
    encoding: Annotated[Literal["raw", "base64"], Expect("raw or base64")] = Field(
        "raw",
        description="body of a POST: the JPEG itself, or base64 in the form field img; in a Redis"
        " base64 text",
    )
    transport: Annotated[
        Literal["post", "stream"],
        Expect("post or stream (how an RTSP camera sends is --rtsp-transport)"),
    ] = Field(
        "post",
        description="how frames travel over HTTP: a POST for each, or many frames in one (stream)",
    )
    in_flight: Annotated[int, Field(ge=1, le=64), Expect("a whole number from 1 to 64")] = Field(
        2,
        description="frames of a camera that may wait for their replies at once; for a far"
        " receiver: frames a second times the seconds of a round trip; over HTTP only",
    )
    rtsp_transport: Annotated[Literal["tcp", "udp"], Expect("tcp or udp")] = Field(
        "tcp", description="how an RTSP camera sends"
    )
    rtsp_reader: Annotated[
        Literal["auto", "direct", "ffmpeg"], Expect("auto, direct or ffmpeg")
    ] = Field(
        "auto",
        description="who reads RTSP: direct is a frame faster; auto leaves to FFmpeg what it cannot"
        " read",
    )
    capture_time: Annotated[Literal["camera", "arrival"], Expect("camera or arrival")] = Field(
        "camera",
        description="age of RTSP pictures: by the camera's own clock where that is set to the time"
        " of day, or from their arrival",
    )
    pace: Annotated[Literal["source", "fast"], Expect("source or fast")] = Field(
        "source",
        description="files: at their own pace, or every frame as fast as the receiver takes them",
    )
    loop: Switch = Field(False, description="files: begin again at the end")
    depth: Depth = Field(
        1,
        description="how many frames may wait for their turn, the newest first; of more only the"
        " newest stays",
    )
    open_timeout: Seconds = Field(5.0, description="seconds for a source to connect")
    read_timeout: Seconds = Field(5.0, description="seconds without a frame, then connect again")
    deadline: Seconds = Field(
        5.0, description="seconds for a POST and its reply together, or for Redis to take a frame"
    )
    delivery: Annotated[Literal["latest", "every"], Expect("latest or every")] = Field(
        "latest",
        description="latest: a frame that a newer one replaces is never sent; every: each frame is"
        " kept on disk until the receiver's hook had it",
    )
    spool: Path = Field(
        Path("spool"), description="every: the folder for that, with one in it for each camera"
    )
    spool_bytes: Bytes = Field(
        "1GB", description="every: beyond, the oldest frames of a camera are given up"
    )
    spool_age: Age | None = Field(
        None, description="every: older frames are given up, such as 24h; default: never"
    )
    spool_sync: Annotated[Literal["none", "interval", "each"], Expect("none, interval or each")] = (
        Field(
            "interval",
            description="every: ask the disk to have all safe against a power cut: never, once a"
            " second, or for each frame",
        )
    )
    token: Token | None = Field(
        None,
        description="sent as Authorization: Bearer, over UDP as a seal; better in SENDER_TOKEN than"
        " here; none for a Redis or ZeroMQ",
    )
    tls_ca: Path | None = Field(
        None, description="PEM file: trust an https receiver whose certificate it signed, no other"
    )
    tls_cert: Path | None = Field(
        None, description="PEM file with the certificate to show to a receiver that asks for one"
    )
    tls_key: Path | None = Field(None, description="PEM file with its key")
    digest: Switch = Field(False, description="send the SHA-256 of each frame, to be checked")
    keep_corrupt: Switch = Field(False, description="send also frames that came damaged")
    obey: Switch = Field(
        True, description="send fewer, smaller or coarser frames where the receiver wishes so"
    )

    @property
    def pixels(self) -> tuple[int, int] | None:
        """The size as (width, height)."""
        return None if self.size is None else parse_pixels(self.size)

    @property
    def spool_limits(self) -> tuple[int, float | None]:
        """Bytes of the spool, and seconds that a frame may wait in it."""
        age = None if self.spool_age is None else parse_age(self.spool_age)
        return parse_size(self.spool_bytes), age

    @property
    def options(self) -> SourceOptions:
        """How to read the source."""
        return SourceOptions(
            rtsp_transport=self.rtsp_transport,
            rtsp_reader=self.rtsp_reader,
            capture_time=self.capture_time,
            open_timeout=self.open_timeout,
            read_timeout=self.read_timeout,
            pace=self.pace,
            loop=self.loop,
            fps=self.fps,
            size=self.pixels,
        )

    @property
    def carrier(self) -> CarrierOptions:
        """How to bring the frames to the receiver."""
        return CarrierOptions(
            to=self.to,
            camera=self.camera,
            encoding=self.encoding,
            transport=self.transport,
            delivery=self.delivery,
            digest=self.digest,
            token=self.token.get_secret_value() if self.token else None,
            deadline=self.deadline,
        )


class SenderConfig(CameraConfig, ViewConfig):
    """Read cameras and post their frames to a receiver: the newest, or every one.

    Every setting is also a variable, SENDER_QUALITY for --quality, and a name in the YAML file
    given by --config. There `cameras:` may list several: each a mapping with `camera`, `source`
    and whatever differs from the settings outside the list.
    """

    model_config = SettingsConfigDict(env_prefix="SENDER_", cli_prog_name="python -m sender")
    secret_fields: ClassVar[frozenset[str]] = frozenset({"token", "view_token"})

    cameras: CliSuppress[Annotated[list[CameraConfig], Expect("a list of cameras")]] = Field(
        [], description="several cameras"
    )
    trace_to: TraceTo | None = Field(
        None,
        description="OpenTelemetry collector that is told where the time of some frames went,"
        " http://HOST:4318",
    )
    trace_ratio: TraceRatio = Field(0.1, description="share of the frames that are traced")
    progress: Switch = Field(
        False, description="show a progress bar for files even when no terminal is there"
    )
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Expect("debug, info, warning or error")
    ] = Field("info", description="how much to log")
    log_format: Annotated[Literal["text", "json"], Expect("text or json")] = Field(
        "text", description="log lines for people, or a JSON object a line for programs"
    )
    config: Path | None = Field(None, description="YAML file with these settings")
    check: Annotated[str | None, Field(min_length=1), Expect(SOURCE)] = Field(
        None,
        description="try this source for some seconds, say what it offers or why it cannot be"
        " read, and end: with 0 when it can, else 1; frames go nowhere",
    )
    check_seconds: Seconds = Field(5.0, description="for how many seconds --check watches it")
    check_json: Switch = Field(False, description="--check answers with JSON")

    def each_camera(self) -> list[CameraConfig]:
        """Return every camera with all that applies to it."""
        common = self.model_dump(include=set(CameraConfig.model_fields))
        return [
            CameraConfig(**(common | camera.model_dump(include=camera.model_fields_set)))
            for camera in self.cameras
        ] or [CameraConfig(**common)]

    @classmethod
    def clean(cls, text: str) -> str:
        return redact(text)

    @classmethod
    def cross_check(cls, given: Mapping[str, Any]) -> Sequence[str]:
        """Look at what no single setting shows: names that repeat, cameras without a source."""
        if given.get("check"):
            return []
        cameras = given.get("cameras")
        if not isinstance(cameras, list) or not cameras:
            if given.get("source") in (None, ""):
                return [f"SENDER_SOURCE: expected {SOURCE}, got none"]
            return []
        return check_cameras(cameras, given.get("source"))
