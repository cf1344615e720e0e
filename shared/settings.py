"""Settings: command line over environment over YAML file over default, all checked together.

pydantic-settings reads and checks; this file adds the order, the file, and errors that a person can
act on: which setting, what was expected, what came.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import yaml
from pydantic import ValidationError
from pydantic_settings import (
    BaseSettings,
    CliSettingsSource,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from shared.errors import ConfigError


class Expect(str):
    """Annotate a field with it to say, in an error, what the field expects."""


class Settings(BaseSettings):
    """Base of a program's settings; a subclass sets `env_prefix` and declares its fields.

    A field named `config` names the YAML file.
    """

    model_config = SettingsConfigDict(
        cli_kebab_case=True,
        cli_implicit_flags=True,
        cli_hide_none_type=True,
        cli_avoid_json=True,
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
    )
    #: A field whose value may hold a password; errors leave it out.
    secret_fields: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def load(cls, argv: Sequence[str]) -> Self:
        """Return the settings, or raise ConfigError with a sentence for each wrong one.

        `--help` and an unknown option print and raise SystemExit, as argparse does.
        """
        try:
            given = EnvSettingsSource(cls)() | CliSettingsSource(cls, cli_parse_args=[*argv])()
            file = read_yaml(Path(given["config"])) if given.get("config") else {}
            return cls(**(file | given))
        except ValidationError as exc:
            raise ConfigError(*dict.fromkeys(cls._sentence(e) for e in exc.errors())) from None
        except SettingsError as exc:
            raise ConfigError(str(exc)) from None

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
        name = where[0]
        if error["type"] == "extra_forbidden":
            return f"{'.'.join(where)}: there is no such setting"
        field = cls.model_fields.get(name)
        expected = (
            next((str(m) for m in field.metadata if isinstance(m, Expect)), None) if field else None
        )
        if error["type"] == "value_error" or expected is None:
            expected_or_message = str(error["msg"]).removeprefix("Value error, ")
        else:
            expected_or_message = f"expected {expected}"
        got = "" if name in cls.secret_fields else f", got {error['input']!r}"
        prefix = cls.model_config.get("env_prefix", "")
        places = [f"{prefix}{name.upper()}", *where[1:]]
        return f"{'.'.join(places)}: {expected_or_message}{got}"


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the mapping in the file; raise ConfigError that names the file."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise ConfigError(f"{path}: cannot be read ({exc.strerror})") from None
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        problem = " ".join(str(exc).split())
        raise ConfigError(f"{path}: is no YAML ({problem})") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: expected settings as 'name: value', got {content!r:.80}")
    return {str(name).replace("-", "_"): value for name, value in content.items()}
