"""The file of tokens: all that is wrong with it is said, and never a token."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from receiver.access.token_file import read_tokens
from shared.access.tokens import digest_of
from shared.errors import ConfigError

TOKEN = "canary-0123456789"
DIGEST = hashlib.sha256(TOKEN.encode()).hexdigest()


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "tokens.yaml"


def test_a_file_gives_each_token_what_it_may_do(file: Path) -> None:
    write(
        file,
        f"""
        - {{name: door-sender, role: ingest, cameras: [door, gate], token: {TOKEN}}}
        - name: recorder
          role: [ingest, view]
          token-sha256: {digest_of("x" * 16).hex().upper()}
        - {{name: me, role: admin, token: '@:/%?#-0123456789'}}
        """,
    )
    door, recorder, me = read_tokens(file)

    assert (door.digest, door.grant.name) == (digest_of(TOKEN), "door-sender")
    assert door.grant.roles == frozenset({"ingest"})
    assert door.grant.cameras == frozenset({"door", "gate"})
    assert (recorder.digest, recorder.grant.cameras) == (digest_of("x" * 16), None)
    assert recorder.grant.roles == frozenset({"ingest", "view"})
    assert me.digest == digest_of("@:/%?#-0123456789")
    assert me.grant.roles == frozenset({"admin"})


GOOD = "name: a, role: view"
OTHER = f"- {{name: other, role: view, token: {TOKEN}}}\n"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "expected a list of tokens, each with name, role and token"),
        ("[]", "expected a list of tokens, each with name, role and token"),
        (f"token: {TOKEN}", "expected a list of tokens, each with name, role and token"),
        (f"- {TOKEN}", "entry 1: expected name, role and token as 'name: value'"),
        (f"- {{role: view, token: {TOKEN}}}", "entry 1, name: expected letters, .*, got none"),
        (f"- {{name: a b, role: view, token: {TOKEN}}}", "entry 1, name: .*, got 'a b'"),
        (
            f"- {{name: a, role: viewer, token: {TOKEN}}}",
            r"entry 1, role: expected ingest, view, admin or a list of them, got .*viewer",
        ),
        (f"- {{name: a, role: [], token: {TOKEN}}}", "entry 1, role: .*, got none"),
        (f"- {{name: a, role: [view, 1], token: {TOKEN}}}", "entry 1, role: "),
        (f"- {{{GOOD}}}", "entry 1, token: expected either token or token_sha256, got none"),
        (
            f"- {{{GOOD}, token: {TOKEN}, token_sha256: {DIGEST}}}",
            "entry 1, token: expected either token or token_sha256, got token and token_sha256",
        ),
        (
            f"- {{{GOOD}, token: canary}}",
            "entry 1, token: expected 16 to 256 printable ASCII characters without spaces$",
        ),
        (f"- {{{GOOD}, token: 12345678901234567890}}", "entry 1, token: .*, in quotes$"),
        (
            f"- {{{GOOD}, token_sha256: {TOKEN}}}",
            "entry 1, token_sha256: expected 64 hexadecimal digits$",
        ),
        (f"- {{{GOOD}, tokne: {TOKEN}}}", "entry 1: expected name, .*, got 'tokne'"),
        (
            f"- {{name: a, role: ingest, cameras: [], token: {TOKEN}}}",
            "entry 1, cameras: expected names of cameras, got none",
        ),
        (
            f"- {{name: a, role: ingest, cameras: ['a/b'], token: {TOKEN}}}",
            "entry 1, cameras: expected names of cameras, got .*a/b",
        ),
        (
            f"- {{name: a, role: view, cameras: [door], token: {TOKEN}}}",
            "entry 1, cameras: expected with role: ingest alone; the other roles are for all",
        ),
        (
            f"- {{name: a, role: [ingest, admin], cameras: [door], token: {TOKEN}}}",
            "entry 1, cameras: expected with role: ingest alone",
        ),
        (
            f"{OTHER}- {{name: other, role: view, token: {TOKEN}-2}}",
            "entry 2, name: expected a name of its own, got 'other' again",
        ),
        (
            f"{OTHER}- {{{GOOD}, token_sha256: {DIGEST}}}",
            "entry 2, token: expected one of its own, got that of other",
        ),
        (f"- {{name: a, token: {TOKEN}", "is no YAML"),
        (f"- *{TOKEN}", "is no YAML"),
    ],
)
def test_what_is_wrong_is_said_without_a_token(text: str, sentence: str, file: Path) -> None:
    with pytest.raises(ConfigError, match=sentence) as caught:
        read_tokens(write(file, text))

    assert "canary" not in str(caught.value)
    assert DIGEST not in str(caught.value)
    assert all(problem.startswith(f"{file}: ") for problem in caught.value.problems)


def test_all_that_is_wrong_is_said_together(file: Path) -> None:
    write(file, "- {name: a, role: x, token: y}\n- {role: view}\n")

    with pytest.raises(ConfigError) as caught:
        read_tokens(file)

    assert len(caught.value.problems) == 4


def test_a_file_that_is_not_there_is_one_sentence(file: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_tokens(file)


@pytest.mark.parametrize(
    "name", ["a", "Z", "0", "Door_sender-2.old", "a_", "a.", "a-", "aZ", "a0", "a" * 64]
)
def test_a_name_is_what_a_camera_s_name_may_be(name: str, file: Path) -> None:
    write(file, f"- {{name: '{name}', role: view, token: {TOKEN}}}")

    assert [token.grant.name for token in read_tokens(file)] == [name]


@pytest.mark.parametrize("name", ["", "_a", ".a", "-a", "a b", "ä", "a\u0661", "a" * 65])
def test_no_other_name_will_do(name: str, file: Path) -> None:
    write(file, f"- {{name: '{name}', role: view, token: {TOKEN}}}")

    with pytest.raises(ConfigError, match=f"entry 1, name: .*, got {name!r}$"):
        read_tokens(file)


def test_a_token_may_have_all_roles(file: Path) -> None:
    write(file, f"- {{name: a, role: [ingest, view, admin], token: {TOKEN}}}")

    [token] = read_tokens(file)
    assert token.grant.roles == {"ingest", "view", "admin"}


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("name: a, role: [viewer, boss]", r"got 'viewer, boss'"),
        ("name: a, role: [view, 1]", r"got 'view, 1'"),
        ("name: a, role: [[view]]", r"""role: expected .*, got "\['view'\]\""""),
        (f"name: a, role: {'x' * 99}", f"got '{'x' * 80}'"),
        (f"name: a, role: view, {'k' * 99}: 1", f"entry 1: expected .*, got '{'k' * 40}'"),
        (f"name: {'n' * 99}, role: view", f"name: .*, got '{'n' * 80}'"),
    ],
)
def test_what_came_is_told_and_not_all_of_a_long_one(entry: str, told: str, file: Path) -> None:
    write(file, f"- {{{entry}, token: {TOKEN}}}")

    with pytest.raises(ConfigError, match=f"{told}$") as caught:
        read_tokens(file)
    assert len(caught.value.problems) == 1
