"""`python -m receiver.top http://host:8000`: cameras, rates, ages and drops in a terminal."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from receiver.top.far import FarReceiver, NoLook, NoReceiver
from receiver.top.keys import Keys
from receiver.top.look import Look
from receiver.top.table import ORDERS, show
from shared.url import HttpUrl

_HELP = "q quits; sort by " + ", ".join(f"{name} ({key})" for key, (name, _) in ORDERS.items())


def main(argv: Sequence[str]) -> int:
    """Show until stopped; return 0, or 1 when the receiver said nothing, 2 on wrong settings."""
    arguments = _parse(argv)
    # As Ctrl-C: the terminal is given back as it was.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    receiver = FarReceiver(arguments.url, token=arguments.token)
    console = Console(highlight=False)
    try:
        if arguments.once or arguments.json or not console.is_terminal:
            return _show_once(receiver, console, arguments)
        return _watch(receiver, console, arguments)
    except NoLook as exc:
        sys.stderr.write(f"top: {exc}\n")
        return 1
    except KeyboardInterrupt:
        return 0
    finally:
        receiver.close()


def _show_once(receiver: FarReceiver, console: Console, arguments: argparse.Namespace) -> int:
    receiver.look()
    time.sleep(arguments.interval)  # rates are of the time between two looks
    look = receiver.look()
    if arguments.json:
        sys.stdout.write(json.dumps(look.facts()) + "\n")
        return 0
    # A pipe has no width: nothing is left out.
    width = console.width if console.is_terminal else 200
    console.width = width
    console.print(show(look, width=width, order=arguments.sort))
    return 0


def _watch(receiver: FarReceiver, console: Console, arguments: argparse.Namespace) -> int:
    order = arguments.sort
    keys = Keys()
    look: Look | None = None
    with keys.open(), Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            trouble = ""
            try:
                look = receiver.look()
            except NoLook as exc:
                if look is None and isinstance(exc, NoReceiver):
                    raise
                trouble = str(exc)
            due = time.monotonic() + arguments.interval
            while True:
                live.update(_page(receiver, console, look, trouble, order), refresh=True)
                key = keys.wait(max(0.0, due - time.monotonic()))
                if key in ("q", "Q"):
                    return 0
                order = key if key in ORDERS else order
                if time.monotonic() >= due:
                    break


def _page(
    receiver: FarReceiver, console: Console, look: Look | None, trouble: str, order: str
) -> RenderableType:
    parts: list[RenderableType] = [Text(receiver.shown, style="dim")]
    if trouble:
        tail = " - it is tried again"
        if look is not None:
            tail = f" - what follows is {time.monotonic() - look.at:.0f} s old"
        parts.append(Text(trouble + tail, style="bold red"))
    if look is not None:
        parts.append(show(look, width=console.width, order=order, is_old=bool(trouble)))
    parts += [Text(), Text(_HELP, style="dim")]
    return Group(*parts)


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m receiver.top",
        description="Show a receiver's cameras and hooks in this terminal, or print them once.",
    )
    parser.add_argument(
        "url", nargs="?", type=_url, default="http://127.0.0.1:8000", help="the receiver"
    )
    parser.add_argument(
        "--token",
        type=_token,
        default=os.environ.get("FRAMEPOST_TOKEN") or None,
        help="a token that may view; better in FRAMEPOST_TOKEN than here",
    )
    parser.add_argument(
        "--interval", type=_seconds, default=1.0, help="seconds between two looks (default: 1)"
    )
    parser.add_argument("--sort", choices=[*ORDERS], default="n", help="the key to sort by")
    parser.add_argument(
        "--once", action="store_true", help="print once and end; so too where no terminal is"
    )
    parser.add_argument("--json", action="store_true", help="print once, as one line of JSON")
    return parser.parse_args(argv)


def _url(text: str) -> HttpUrl:
    try:
        return HttpUrl.parse(text)
    except ValueError as exc:
        raise argparse.ArgumentTypeError(f"{exc}, got {text!r}") from None


def _token(text: str) -> str:
    if not text.isascii() or not text.isprintable() or " " in text:
        raise argparse.ArgumentTypeError("expected printable ASCII characters without spaces")
    return text


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.1 <= seconds <= 3600:
        raise argparse.ArgumentTypeError(f"expected seconds from 0.1 to 3600, got {text!r}")
    return seconds


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
