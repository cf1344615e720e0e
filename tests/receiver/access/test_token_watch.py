"""The file of tokens is read again when it has changed; a broken one changes nothing."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import pytest

from receiver.access.token_watch import TokenWatch
from shared.access.grant import Token
from shared.access.tokens import Tokens, digest_of
from tests.shared.access.tokens import grant

FIRST, SECOND, FIXED = "first-0123456789", "second-0123456789", "fixed-0123456789"


def write(path: Path, *secrets: str) -> None:
    entries = [f"- {{name: t{n}, role: view, token: {s}}}\n" for n, s in enumerate(secrets)]
    path.write_text("".join(entries), encoding="utf-8")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tokens.yaml"
    write(path, FIRST)
    return path


def make(file: Path) -> tuple[Tokens, TokenWatch]:
    fixed = Token(digest=digest_of(FIXED), grant=grant("fixed", "admin"))
    tokens = Tokens([fixed])
    return tokens, TokenWatch(file, tokens, fixed=[fixed])


def known(tokens: Tokens) -> set[str]:
    return {secret for secret in (FIRST, SECOND, FIXED) if tokens.find(secret)}


class Lines(logging.Handler):
    """Says when something was logged."""

    def __init__(self) -> None:
        super().__init__()
        self.came = threading.Semaphore(0)

    def emit(self, record: logging.LogRecord) -> None:
        self.came.release()


def test_a_changed_file_is_in_force_soon_and_a_broken_one_never(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lines = Lines()
    logging.getLogger("receiver.access.token_watch").addHandler(lines)
    tokens, watch = make(file)
    try:
        with caplog.at_level(logging.INFO), watch:
            assert known(tokens) == {FIRST, FIXED}

            write(file, SECOND)
            assert lines.came.acquire(timeout=30)
            assert known(tokens) == {SECOND, FIXED}

            file.write_text("- name: [", encoding="utf-8")
            assert lines.came.acquire(timeout=30)
            assert known(tokens) == {SECOND, FIXED}
            # It is said once, and not at each look.
            assert not lines.came.acquire(timeout=1.2)

            file.unlink()
            assert lines.came.acquire(timeout=30)
            assert known(tokens) == {SECOND, FIXED}

            write(file, FIRST, SECOND)
            assert lines.came.acquire(timeout=30)
            assert known(tokens) == {FIRST, SECOND, FIXED}
    finally:
        logging.getLogger("receiver.access.token_watch").removeHandler(lines)

    again, broken, gone, last = caplog.messages
    assert again == f"{file}: was read again, 2 tokens are in force"
    assert broken.startswith(f"{file}: is no YAML")
    assert broken.endswith("; the tokens stay what they were")
    assert "cannot be read" in gone
    assert last.endswith("3 tokens are in force")


def test_a_token_of_the_settings_stays_what_it_is_though_the_file_has_it_too(file: Path) -> None:
    write(file, FIXED)
    tokens, _ = make(file)

    found = tokens.grant(tokens.find(FIXED) or b"")

    assert found is not None
    assert found.name == "fixed"
