"""Settings: command line over environment over YAML file over default, all checked together.

pydantic-settings reads and checks; this file adds the order, the file, and errors that a person can
act on: which setting, what was expected, what came.
"""

from __future__ import annotations

import argparse
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self, get_args

import yaml
from pydantic import AfterValidator, BaseModel, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    CliSettingsSource,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from shared.errors import ConfigError
from shared.url import HttpUrl


class Expect(str):
    """Annotate a field with it to say, in an error, what the field expects."""


def _check_token(token: SecretStr) -> SecretStr:
    text = token.get_secret_value()
    if not text.isascii() or not text.isprintable() or not text or " " in text:
        raise ValueError("cannot be in a header")
    return token


#: What is sent as Authorization: Bearer.
Token = Annotated[
    SecretStr, AfterValidator(_check_token), Expect("printable ASCII characters without spaces")
]


def _check_collector(url: str) -> str:
    HttpUrl.parse(url)
    return url


#: Where traces go, and of which share of the frames.
TraceTo = Annotated[str, AfterValidator(_check_collector), Expect("http://HOST:PORT")]
TraceRatio = Annotated[float, Field(ge=0, le=1), Expect("a number from 0 to 1")]


class Settings(BaseSettings):
    """Base of a program's settings; a subclass sets `env_prefix` and declares its fields.

    A field named `config` names the YAML file.
    """

    model_config = SettingsConfigDict(
        cli_kebab_case=True,
        cli_implicit_flags=True,
        cli_hide_none_type=True,
        cli_avoid_json=True,
        cli_exit_on_error=False,
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
    )
    #: A field whose value may hold a password; errors leave it out.
    secret_fields: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def load(cls, argv: Sequence[str]) -> Self:
        """Return the settings, or raise ConfigError with a sentence for each wrong one.

        `--help` prints and raises SystemExit.
        """
        try:
            given = EnvSettingsSource(cls)()
            given |= CliSettingsSource[Any](cls, cli_parse_args=[*argv], formatter_class=_Help)()
        except SettingsError as exc:
            said = _UNKNOWN.sub(_names_of, str(exc).removeprefix("error parsing CLI: "))
            raise ConfigError(cls.clean(f"{said}; see --help")) from None
        file = read_yaml(Path(given["config"])) if given.get("config") else {}
        problems: list[str] = []
        try:
            settings = cls(**(file | given))
        except ValidationError as exc:
            problems += [cls._sentence(error) for error in exc.errors()]
        problems += cls.cross_check(file | given)
        if problems:
            raise ConfigError(*dict.fromkeys(problems))
        return settings

    @classmethod
    def cross_check(cls, given: Mapping[str, Any]) -> Sequence[str]:
        """Return a sentence for each mistake that no single field shows; `given` is unchecked."""
        return ()

    @classmethod
    def clean(cls, text: str) -> str:
        """Return what came without the passwords that it may hold, for an error."""
        return text

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read nothing behind the caller's back: `load` names the sources."""
        return (init_settings,)

    @classmethod
    def _sentence(cls, error: Any) -> str:
        where = [str(part) for part in error["loc"]]
        if not where:
            return str(error["msg"]).removeprefix("Value error, ")
        if len(where) == 1:
            where = [f"{cls.model_config.get('env_prefix', '')}{where[0].upper()}"]
        place = ".".join(where)
        if error["type"] == "extra_forbidden":
            return f"{'.'.join(str(part) for part in error['loc'])}: there is no such setting"
        expected = _expected(cls, error["loc"])
        if error["type"] == "missing":
            return f"{place}: expected {expected or 'a value'}, got none"
        message = str(error["msg"]).removeprefix("Value error, ")
        sentence = f"{place}: {message if expected is None else f'expected {expected}'}"
        if cls.secret_fields.intersection(str(part) for part in error["loc"]):
            return sentence
        return f"{sentence}, got {cls.clean(_shown(error['input'])):.200}"


class _Help(argparse.RawDescriptionHelpFormatter):
    """Writes --help for people, not for those who know Python's types."""

    _WORDS: ClassVar[dict[object, str]] = {
        "str": "TEXT",
        "SecretStr": "TEXT",
        "int": "NUMBER",
        "float": "NUMBER",
        "Path": "FILE",
        "list[str]": "TEXT",
        "list[Path]": "FOLDER",
    }

    def add_text(self, text: str | None) -> None:
        super().add_text(text and inspect.cleandoc(text))

    def _metavar_formatter(
        self, action: argparse.Action, default_metavar: str
    ) -> Callable[[int], tuple[str, ...]]:
        if isinstance(action.metavar, str):
            action.metavar = self._WORDS.get(action.metavar, action.metavar)
        return super()._metavar_formatter(action, default_metavar)

    def _expand_help(self, action: argparse.Action) -> str:
        text = super()._expand_help(action)
        return text.removesuffix("(default: None)").removesuffix("(default: [])").rstrip()


#: argparse's sentence about options that there are not.
_UNKNOWN = re.compile(r"(?s)(unrecognized arguments: )(.*)")


def _names_of(found: re.Match[str]) -> str:
    """Return the sentence with the options alone: what stands behind one may be a secret."""
    options = [word.partition("=")[0] for word in found[2].split() if word.startswith("-")]
    return found[1] + (" ".join(options) or "what stands behind the options")


def _expected(model: type[BaseModel], place: Sequence[str | int]) -> str | None:
    """Return what the field at `place`, perhaps inside a list of models, says it expects."""
    field = model.model_fields.get(str(place[0]))
    if field is None:
        return None
    inner = [kind for kind in _parts(field.annotation) if isinstance(kind, type)]
    models = [kind for kind in inner if issubclass(kind, BaseModel)]
    names = [part for part in place[1:] if isinstance(part, str)]
    if models and names:
        return _expected(models[0], names)
    if models and len(place) > 1:
        return "settings as 'name: value'"
    marks = [mark for mark in (*field.metadata, *_parts(field.annotation)) if type(mark) is Expect]
    return str(marks[0]) if marks else None


def _parts(annotation: Any) -> list[Any]:
    """Return the annotation and all that it is made of: Expect may sit inside `X | None`."""
    return [annotation, *(part for a in get_args(annotation) for part in _parts(a))]


def _shown(value: Any) -> str:
    """Return what came; of a mapping only that it is one, for there may be a secret in it."""
    if isinstance(value, dict):
        return "settings"
    if isinstance(value, list) and any(isinstance(part, (dict, list)) for part in value):
        return "a list"
    return repr(value)


#: A word of the file inside PyYAML's sentence; single characters are no secrets.
_QUOTED = re.compile(r"""(['"])[^'"<,\s]\S+\1""")


def _yaml_trouble(exc: Exception) -> str:
    """Say where the file is wrong, without the line itself: a password may stand in it."""
    if isinstance(exc, yaml.MarkedYAMLError) and exc.problem_mark is not None:
        mark = exc.problem_mark
        problem = _QUOTED.sub("***", exc.problem or "")
        return f"line {mark.line + 1}, column {mark.column + 1}: {problem}"
    return " ".join(str(exc).split())


def load_yaml(path: Path) -> Any:
    """Return what is in the file, names as in Python; raise ConfigError that names the file."""
    try:
        return _plain(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as exc:
        raise ConfigError(f"{path}: cannot be read ({exc.strerror})") from None
    except (yaml.YAMLError, ValueError, RecursionError) as exc:  # no UTF-8, a 13th month, too deep
        raise ConfigError(f"{path}: is no YAML ({_yaml_trouble(exc)})") from None


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the mapping in the file; raise ConfigError that names the file."""
    content = load_yaml(path)
    if content is None:
        return {}
    if not isinstance(content, dict):
        kind = "a list" if isinstance(content, list) else "something else"
        raise ConfigError(f"{path}: expected settings as 'name: value', got {kind}")
    return content


def _plain(content: Any) -> Any:
    """Return the content with the names written as in Python, however deep they are."""
    if isinstance(content, dict):
        return {str(name).replace("-", "_"): _plain(value) for name, value in content.items()}
    return [_plain(value) for value in content] if isinstance(content, list) else content
