from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic_settings import CliSuppress, SettingsConfigDict

from shared.errors import ConfigError
from shared.settings import Expect, Settings, read_yaml

Level = Annotated[int, Field(ge=1, le=9), Expect("a whole number from 1 to 9")]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    level: Level | None = None
    secret: SecretStr | None = None


class Example(Settings):
    """Settings to test with.

    A second paragraph.
    """

    model_config = SettingsConfigDict(env_prefix="EXAMPLE_", cli_prog_name="example")
    secret_fields: ClassVar[frozenset[str]] = frozenset({"secret"})

    level: Level = Field(5, description="how much of it")
    open_timeout: float = Field(1.0, description="how long")
    kind: Annotated[Literal["red", "blue"], Expect("red or blue")] = Field("red")
    where: str | None = Field(None, description="a place")
    secret: SecretStr | None = Field(None)
    parts: CliSuppress[list[Part]] = Field([])
    config: Path | None = Field(None, description="the file")

    @classmethod
    def clean(cls, text: str) -> str:
        return text.replace("canary", "***")

    @classmethod
    def cross_check(cls, given: Mapping[str, Any]) -> Sequence[str]:
        return ["where: expected anywhere else"] if given.get("where") == "here" else ()


class Unclean(Example):
    """Does not know a password when it sees one."""

    @classmethod
    def clean(cls, text: str) -> str:
        return text


def problems(*argv: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        Example.load(argv)
    return caught.value.problems


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "settings.yaml"


def test_the_command_line_is_over_the_environment_is_over_the_file_is_over_the_default(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Example.load([]).level == 5
    file.write_text("level: 2\nopen-timeout: 7\n")
    monkeypatch.setenv("EXAMPLE_CONFIG", str(file))
    assert Example.load([]).level == 2
    monkeypatch.setenv("EXAMPLE_LEVEL", "3")
    assert Example.load([]).level == 3
    assert Example.load(["--level", "4"]).level == 4
    assert Example.load([]).open_timeout == 7


def test_an_empty_variable_counts_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXAMPLE_LEVEL", "")

    assert Example.load([]).level == 5


def test_all_wrong_settings_are_told_together(file: Path) -> None:
    file.write_text("kind: green\nlevels: 1\nwhere: here\n")

    assert problems("--level", "high", "--config", str(file)) == (
        "EXAMPLE_LEVEL: expected a whole number from 1 to 9, got 'high'",
        "EXAMPLE_KIND: expected red or blue, got 'green'",
        "levels: there is no such setting",
        "where: expected anywhere else",
    )


def test_a_wrong_setting_inside_a_list_is_told_with_its_place(file: Path) -> None:
    file.write_text("parts:\n- {name: a}\n- {name: b, level: 11}\n- {nam: c, level: 1}\n- 7\n")

    assert problems("--config", str(file)) == (
        "parts.1.level: expected a whole number from 1 to 9, got 11",
        "parts.2.name: expected a value, got none",
        "parts.2.nam: there is no such setting",
        "parts.3: expected settings as 'name: value', got 7",
    )


def test_names_in_lists_may_be_written_with_hyphens(file: Path) -> None:
    file.write_text("parts:\n- {na-me: c}\n")

    assert "parts.0.na_me: there is no such setting" in problems("--config", str(file))


def test_no_secret_is_in_an_error(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXAMPLE_LEVEL", "the canary")
    file.write_text("secret: [canary]\nparts:\n- {name: a, secret: [canary]}\n- canary\n")

    found = problems("--config", str(file), "--kind", "canary")

    assert len(found) == 5
    assert not [problem for problem in found if "canary" in problem]


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (("--nonsense",), "unrecognized arguments: --nonsense; see --help"),
        (("--level",), "argument --level: expected one argument; see --help"),
    ],
)
def test_a_wrong_command_line_is_one_sentence(argv: tuple[str, ...], expected: str) -> None:
    assert problems(*argv) == (expected,)


def test_help_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        Example.load(["--help"])

    text = capsys.readouterr().out
    assert caught.value.code == 0
    assert "\nA second paragraph.\n" in text
    assert "--level NUMBER" in text
    assert "how much of it (default: 5)" in text
    assert "--config FILE" in text
    assert "None" not in text
    assert "SecretStr" not in text


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a: [", "is no YAML"),
        (b"[" * 10_000, "is no YAML"),
        (b"\xff\xfe\x00", "is no YAML"),
        (b"- 1\n- 2\n", "expected settings as 'name: value', got a list"),
        (b"just words\n", "expected settings as 'name: value', got something else"),
        (b"a: 2020-13-01\n", "is no YAML (month must be in 1..12)"),
        (b"a: [1, 2\n", "(line 2, column 1: expected ',' or ']', but got '<stream end>')"),
    ],
)
def test_a_file_that_holds_no_settings_is_named(file: Path, content: bytes, expected: str) -> None:
    file.write_bytes(content)

    with pytest.raises(ConfigError) as caught:
        read_yaml(file)

    assert str(caught.value).startswith(f"{file}: ")
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        "canary",
        "- {name: a, secret: canary}",
        "secret: can: canary",
        'secret: "canary',
        "secret: *canary",
        "secret: !canary",
        "parts: {name: a, secret: canary}",
        "parts: [[{secret: canary}]]",
    ],
)
def test_a_file_that_is_wrong_is_not_quoted(file: Path, content: str) -> None:
    file.write_text(content)

    with pytest.raises(ConfigError) as caught:
        Unclean.load(["--config", str(file)])

    assert "canary" not in str(caught.value)


def test_a_file_that_is_missing_is_named(file: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read \\(No such file or directory\\)"):
        read_yaml(file)


def test_an_empty_file_is_no_setting_at_all(file: Path) -> None:
    file.write_text("# nothing\n")

    assert read_yaml(file) == {}
