"""The receiver's settings: `--name`, RECEIVER_NAME, or a YAML file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_settings import SettingsConfigDict

from receiver.access.config import LimitsConfig
from receiver.access.token_file import read_tokens
from receiver.bus.join import check_url
from receiver.feeds.allow_list import AllowList
from receiver.listeners.place import check_guarded, parse_places
from receiver.names import Names, Paths
from receiver.recording.config import RecordingConfig
from shared.access.network import is_this_machine
from shared.access.own_token import OwnToken
from shared.errors import ConfigError
from shared.jpeg import MAX_PIXELS
from shared.redact import redact
from shared.settings import Expect, Settings, Token, TraceRatio, TraceTo
from shared.url import HttpUrl

Port = Annotated[int, Field(ge=0, le=65535), Expect("a port from 0 (any free one) to 65535")]
Seconds = Annotated[float, Field(gt=0, le=86400), Expect("seconds above 0")]
Count = Annotated[int, Field(ge=1, le=100_000), Expect("a whole number from 1")]


def _check_urls(urls: list[str]) -> list[str]:
    for url in urls:
        HttpUrl.parse(url)
    return urls


def _check_allowed(entries: list[str]) -> list[str]:
    AllowList(entries)
    return entries


def _check_listen(urls: list[str]) -> list[str]:
    parse_places(urls)
    return urls


def _check_bus(url: str) -> str:
    return url if url == "local" else check_url(url)


_REDIS = "redis://HOST:PORT/DB (or rediss://, unix://, redis+cluster://, redis+sentinel://)"
Bus = Annotated[str, AfterValidator(_check_bus), Expect(f"local, or {_REDIS}")]
RedisBus = Annotated[str, AfterValidator(check_url), Expect(_REDIS)]
Urls = Annotated[
    Names,
    AfterValidator(_check_urls),
    Expect("http://HOST:PORT/PATH or https://HOST:PORT/PATH, several separated by commas"),
]
Allowed = Annotated[
    Names,
    AfterValidator(_check_allowed),
    Expect("addresses, networks such as 10.0.0.0/8, or host names, separated by commas"),
]


class HookConfig(Settings):
    """What a receiver and a worker on the bus have in common."""

    host: str = Field("127.0.0.1", description="address to listen on; 0.0.0.0 for every network")
    port: Port = Field(8000, description="port to listen on")
    token: OwnToken | None = Field(
        None,
        description="the token that every request needs, and that may do everything; better in"
        " RECEIVER_TOKEN than here; default: none is needed",
    )
    tokens: Path | None = Field(
        None, description="YAML file of more tokens, with what each may do; read again when changed"
    )
    insecure: Annotated[bool, Expect("true or false")] = Field(
        False,
        description="listen beyond this machine though nobody needs a token: whoever comes may do"
        " everything",
    )
    allow_host: Names = Field(
        [],
        description="public names under which it answers where no token is needed; addresses and"
        " names of the local network always count",
    )
    tls_cert: Path | None = Field(
        None, description="PEM file with this server's certificate: HTTPS instead of HTTP"
    )
    tls_key: Path | None = Field(None, description="PEM file with its key")
    tls_client_ca: Path | None = Field(
        None, description="PEM file: let in only clients with a certificate that it signed"
    )
    tls_min: Annotated[Literal["1.2", "1.3"], Expect("1.2 or 1.3")] = Field(
        "1.2", description="the oldest version of TLS"
    )
    hook: Names = Field(
        [], description="module:name of your algorithm, or camera=module:name for one camera"
    )
    hook_path: Paths = Field([], description="more folders to look for hooks in")
    hook_workers: Annotated[int, Field(ge=1, le=256), Expect("a whole number from 1 to 256")] = (
        Field(1, description="how many workers run each hook")
    )
    isolation: Annotated[Literal["process", "thread"], Expect("process or thread")] = Field(
        "process", description="run hooks in processes of their own, or in threads to debug them"
    )
    hook_timeout: Seconds = Field(
        10.0, description="seconds for one frame, then the hook is killed"
    )
    hook_setup_timeout: Seconds = Field(120.0, description="seconds for a hook to load its model")
    annotated_quality: Annotated[
        int, Field(ge=1, le=100), Expect("a whole number from 1 to 100")
    ] = Field(85, description="JPEG quality of the pictures that hooks draw")
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Expect("debug, info, warning or error")
    ] = Field("info", description="how much to log")
    log_format: Annotated[Literal["text", "json"], Expect("text or json")] = Field(
        "text", description="log lines for people, or a JSON object a line for programs"
    )
    config: Path | None = Field(None, description="YAML file with these settings")

    @model_validator(mode="after")
    def _check_exposed(self) -> Self:
        is_guarded = self.token or self.tokens or self.tls_client_ca or self.insecure
        if not is_guarded and not is_this_machine(self.host):
            raise ValueError(
                "RECEIVER_HOST: expected a token (RECEIVER_TOKEN or --tokens) for whoever comes"
                f" from other machines, got {self.host} and none; --insecure if all may do"
                " everything"
            )
        return self

    @classmethod
    def clean(cls, text: str) -> str:
        return redact(text)

    @classmethod
    def cross_check(cls, given: Mapping[str, Any]) -> Sequence[str]:
        """Look into the file of tokens."""
        try:
            if given.get("tokens"):
                read_tokens(Path(str(given["tokens"])))
        except ConfigError as exc:
            return exc.problems
        return ()

    @property
    def secret(self) -> str | None:
        """The token itself."""
        return self.token.get_secret_value() if self.token else None


class ReceiverConfig(LimitsConfig, RecordingConfig, HookConfig):
    """Take camera frames over HTTP, run hooks on them, and show them live."""

    model_config = SettingsConfigDict(env_prefix="RECEIVER_", cli_prog_name="python -m receiver")
    secret_fields: ClassVar[frozenset[str]] = frozenset({"bus", "token", "webhook_token"})

    bus: Bus = Field(
        "local",
        description="local: hooks run here; redis://HOST:PORT/DB: receivers and workers on any"
        " number of machines are one",
    )
    # Without Expect: what is wrong with an option is said by whoever knows it.
    listen: Annotated[Names, AfterValidator(_check_listen)] = Field(
        [],
        description="where frames come from besides HTTP, such as redis://HOST:PORT/0?topic=img0"
        ", udp://HOST:PORT or zmq://127.0.0.1:5555",
    )
    result_webhook: Urls = Field([], description="URLs that every result is posted to, as JSON")
    webhook_token: Token | None = Field(
        None,
        description="sent to them as Authorization: Bearer; better in RECEIVER_WEBHOOK_TOKEN than"
        " here",
    )
    webhook_allow: Allowed = Field(
        [],
        description="the only addresses, networks and hosts they may be at; default: all but"
        " link-local and multicast addresses",
    )
    trace_to: TraceTo | None = Field(
        None,
        description="OpenTelemetry collector that is told where the time of some frames went,"
        " http://HOST:4318",
    )
    trace_ratio: TraceRatio = Field(
        0.1, description="share of the frames traced that bring no traceparent"
    )
    display: bool = Field(False, description="show each camera in a window on this machine")
    auto_control: bool = Field(
        True,
        description="ask senders for fewer frames while a hook is far too slow for them and nobody"
        " watches",
    )
    max_cameras: Count = Field(128, description="how many cameras at most")
    max_queue: Count = Field(
        16, description="how many frames of a camera wait for the hook, for callers of mode=every"
    )
    max_viewers: Annotated[int, Field(ge=1, le=384), Expect("a whole number from 1 to 384")] = (
        Field(100, description="how many live streams at most")
    )
    max_bytes: Annotated[
        int, Field(ge=1024, le=256 << 20), Expect("bytes from 1024 to 268435456")
    ] = Field(16 << 20, description="the largest picture, in bytes")
    check_hook: str | None = Field(
        None,
        description="try this hook on a picture, say what it returns and how long it takes, or what"
        " is wrong with it, and end: with 0 when it works, else 1",
    )
    check_picture: Path | None = Field(
        None, description="the picture that --check-hook tries it on; default: a test pattern"
    )
    max_pixels: Annotated[
        int, Field(ge=64, le=MAX_PIXELS), Expect(f"pixels from 64 to {MAX_PIXELS}")
    ] = Field(MAX_PIXELS, description="the largest picture, in pixels")

    @model_validator(mode="after")
    def _check_listeners(self) -> Self:
        if not self.insecure:
            check_guarded(self.listen, has_tokens=bool(self.token or self.tokens))
        return self


class WorkerConfig(HookConfig):
    """Run hooks on the frames that receivers bring to a bus, on any number of machines."""

    model_config = SettingsConfigDict(
        env_prefix="RECEIVER_", cli_prog_name="python -m receiver.worker"
    )
    secret_fields: ClassVar[frozenset[str]] = frozenset({"bus", "token"})

    bus: RedisBus = Field(description="redis://HOST:PORT/DB, as the receivers have it")
    port: Port = Field(8002, description="port of /healthz, /readyz, /hooks and /metrics")
