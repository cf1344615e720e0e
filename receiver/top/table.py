"""Table: a look as rich's tables, with as many columns as there is room for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from receiver.top.look import LOSSES, CameraLook, HookLook, Look

STYLES = {
    **dict.fromkeys(("live", "ready", "busy"), "green"),
    **dict.fromkeys(("stale", "frozen", "starting", "restarting"), "yellow"),
    **dict.fromkeys(("gone", "failed"), "red"),
}


@dataclass(frozen=True, slots=True)
class Column:
    """What is shown of a camera; `room` is characters, `rank` the order in which columns give way,
    the highest first.
    """

    title: str
    room: int
    rank: int
    cell: Callable[[CameraLook], str]


def _latency(stage: str, percentile: str) -> Callable[[CameraLook], str]:
    return lambda camera: _figure(camera.latency_of(stage, percentile))


def _loss(name: str) -> Callable[[CameraLook], str]:
    return lambda camera: _figure((camera.lost or {}).get(name))


COLUMNS = (
    Column("fps", 6, 0, lambda camera: _figure(camera.fps)),
    Column("processed/s", 11, 2, lambda camera: _figure(camera.processed)),
    Column("age", 7, 1, lambda camera: _duration(camera.age)),
    Column("p50 ms", 7, 3, _latency("total", "p50")),
    Column("p95 ms", 7, 4, _latency("total", "p95")),
    Column("queue", 7, 7, _latency("queue", "p95")),
    Column("decode", 7, 8, _latency("decode", "p95")),
    Column("hook", 7, 6, _latency("hook", "p95")),
    *(Column(f"{name}/s", len(name) + 2, 5, _loss(name)) for name in LOSSES[:2]),
    *(Column(f"{name}/s", len(name) + 2, 9, _loss(name)) for name in LOSSES[2:]),
    Column("viewers", 7, 10, lambda camera: str(camera.viewers)),
    Column("size", 9, 11, lambda camera: _size(camera)),
)
#: Of a camera's name and state, which always stand there.
_NAME, _STATE, _GAP = 12, 6, 2

#: By the key that is pressed.
ORDERS: dict[str, tuple[str, Callable[[CameraLook], tuple[float, str]]]] = {
    "n": ("name", lambda camera: (0.0, camera.camera)),
    "s": ("state", lambda camera: (_rank(camera.state), camera.camera)),
    "f": ("fps", lambda camera: (-camera.fps, camera.camera)),
    "a": ("age", lambda camera: (-(camera.age or 0.0), camera.camera)),
    "l": ("latency", lambda camera: (-(camera.latency_of("total", "p95") or 0.0), camera.camera)),
    "d": ("drops", lambda camera: (-camera.losing, camera.camera)),
}


def columns_for(width: int) -> list[Column]:
    """Return those that a terminal of `width` characters has room for, in their order."""
    chosen: list[Column] = []
    left = width - _NAME - _GAP - _STATE
    for column in sorted(COLUMNS, key=lambda column: column.rank):
        left -= column.room + _GAP
        if left < 0:
            break
        chosen.append(column)
    return [column for column in COLUMNS if column in chosen]


def show(look: Look, *, width: int, order: str = "n", is_old: bool = False) -> RenderableType:
    """Return the tables; what `is_old` is shown so that nobody takes it for the present."""
    parts: list[RenderableType] = [Text(_totals(look), style="bold"), Text()]
    parts.append(_cameras(look.cameras, width, order))
    if look.hooks:
        parts += [Text(), _hooks(look.hooks, width)]
    return Group(*(_dim(part) for part in parts)) if is_old else Group(*parts)


def _cameras(cameras: Sequence[CameraLook], width: int, order: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    table.add_column("camera", no_wrap=True, overflow="ellipsis", min_width=_NAME)
    table.add_column("state", no_wrap=True, min_width=_STATE)
    columns = columns_for(width)
    for column in columns:
        table.add_column(column.title, justify="right", no_wrap=True, min_width=column.room)
    for camera in sorted(cameras, key=ORDERS[order][1]):
        cells = (Text(column.cell(camera)) for column in columns)
        table.add_row(Text(camera.camera), _state(camera.state), *cells)
    if not cameras:
        table.add_row(Text("none yet", style="dim"))
    return table


def _hooks(hooks: Sequence[HookLook], width: int) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    table.add_column("hook", no_wrap=True, overflow="ellipsis", min_width=_NAME)
    table.add_column("state", no_wrap=True)
    for title in ("restarts", "processed", "failed"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("last error", no_wrap=True, overflow="ellipsis")
    for hook in hooks:
        name = hook.hook if hook.camera == "*" else f"{hook.camera}={hook.hook}"
        counts = (hook.restarts, hook.processed, hook.failed)
        table.add_row(
            Text(f"{name} #{hook.worker}"),
            _state(hook.state),
            *(Text(f"{count:,}") for count in counts),
            Text(hook.last_error or "", style="red"),
        )
    table.width = min(width, 140) if any(hook.last_error for hook in hooks) else None
    return table


def _totals(look: Look) -> str:
    live = sum(camera.state == "live" for camera in look.cameras)
    words = [f"{live} of {len(look.cameras)} cameras live"]
    words.append(f"{sum(camera.fps for camera in look.cameras):.1f} fps in")
    if any(camera.processed is not None for camera in look.cameras):
        words.append(f"{sum(camera.processed or 0 for camera in look.cameras):.1f} processed/s")
        words.append(f"{sum(camera.losing for camera in look.cameras):.1f} lost/s")
    return " · ".join(words)


def _dim(part: RenderableType) -> RenderableType:
    if isinstance(part, (Table, Text)):
        part.style = "dim"
    return part


def _state(word: str) -> Text:
    return Text(word, style=STYLES.get(word, ""))


def _rank(state: str) -> float:
    order = ("gone", "stale", "frozen", "live")
    return order.index(state) if state in order else -1


def _size(camera: CameraLook) -> str:
    return f"{camera.width}x{camera.height}" if camera.width else "-"


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}" if value < 1000 else f"{value:,.0f}"


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
