"""Settings: flags over ARMILLARY_* variables over the file over defaults, decoded strictly.

Every section is a frozen struct; each plugin's is its ``Config``.  What nobody knows stops the
start with a sentence, because a misspelt setting that is ignored is found too late.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from armillary.discovery import Found, folded
from armillary.errors import ConfigError
from armillary.orchestration.transition import Limits
from armillary.plugins import Names, suggestion

T = TypeVar("T")
S = TypeVar("S", bound=msgspec.Struct)
Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]


class ServerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where it listens."""

    host: str = "127.0.0.1"
    """The address to listen at; any other than the loopback needs a login, or `insecure`."""
    port: Port = 4200
    """The port to listen at; 0 takes a free one."""
    names: tuple[str, ...] = ()
    """Host names it is asked under, a proxy's for example. At the loopback others are refused,
    except those no website can have, like localhost; elsewhere only if some are named here."""
    base_path: str = ""
    """A path before every other, for a proxy that serves more than this."""
    browser: bool = True
    """Whether to open a browser at start, where there is one."""
    patience: Annotated[float, msgspec.Meta(gt=0)] = 30.0
    """Seconds a client may take for the head of a request, four times that for its body; and may
    leave what it is sent unread."""
    insecure: bool = False
    """Whether anybody who reaches the address may do everything, without a login."""


class DatabaseSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where data lies."""

    url: str = ""
    """sqlite:///path or postgresql://user:password@host/name; by default a file in the home."""
    synchronous: Literal["full", "normal"] = "full"
    """SQLite only: `normal` may lose the last moments when the power fails, never more."""


class RedisSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What Redis is used for, where there is one: handing jobs to workers."""

    url: str = ""
    """redis://host:port/number; empty for none. Jobs lie in the database with or without it."""


class PluginSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which plugins are enabled, beside those that are by default."""

    enable: tuple[str, ...] = ()
    """Plugins to enable that are not by default."""
    disable: tuple[str, ...] = ()
    """Plugins to disable that are enabled by default."""


class LogSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is said about what happens."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least important lines that are still written."""
    format: Literal["console", "json"] = "console"
    """Lines to read, or one JSON object a line."""


class OrchestrationSettings(Limits, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How long runs wait for slots, and what is kept of them; seconds unless said otherwise."""


class TopSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What stands before the first section of the file."""

    home: str = "~/.armillary"
    """The folder of everything this server keeps."""
    targets: tuple[str, ...] = ("all",)
    """What this process runs: see `armillary services`."""
    encryption_key: tuple[str, ...] = ()
    """Keys of stored secrets, the first encrypts; by default a file beside the database has it."""


class Unread(msgspec.Struct, frozen=True):
    """The section of a plugin that is left out: nobody knows what may stand in it."""


SECTIONS: Mapping[str, type[msgspec.Struct]] = {
    "": TopSettings,
    "server": ServerSettings,
    "database": DatabaseSettings,
    "redis": RedisSettings,
    "plugins": PluginSettings,
    "orchestration": OrchestrationSettings,
    "log": LogSettings,
}


class Value(msgspec.Struct, frozen=True):
    """A value somebody wrote, and where."""

    value: object
    origin: str
    text: bool = False
    """Whether it is a text that stands for a value of the field's type."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was decided before the start."""

    home: Path
    targets: tuple[str, ...] = ("all",)
    encryption_key: tuple[str, ...] = ()
    server: ServerSettings = ServerSettings()
    database: DatabaseSettings = DatabaseSettings()
    redis: RedisSettings = RedisSettings()
    plugins: PluginSettings = PluginSettings()
    orchestration: OrchestrationSettings = OrchestrationSettings()
    log: LogSettings = LogSettings()
    sections: Mapping[str, msgspec.Struct] = {}
    """The section of each found plugin that has one."""
    origins: Mapping[str, str] = {}
    """Where each value that is no default came from, by `section.key`."""

    @property
    def database_url(self) -> str:
        """The database's URL with the default put in."""
        return self.database.url or f"sqlite:///{self.home / 'armillary.db'}"

    def section(self, kind: type[T]) -> T:
        """Return the section that is decoded into ``kind``; its defaults if nobody has it."""
        for section in self.sections.values():
            if isinstance(section, kind):
                return section
        return kind()


Layer = dict[str, dict[str, Value]]
"""What one source says, by section and key."""


def load(
    found: Mapping[str, Found],
    *,
    environ: Mapping[str, str],
    flags: Mapping[str, object] | None = None,
    file: Path | None = None,
) -> Settings:
    """Put every source together; ConfigError names what is wrong and where it was written."""
    known = dict(SECTIONS)
    known.update({name: p.manifest.config for name, p in found.items() if p.manifest.config})
    known.update({name: Unread for name, p in found.items() if p.reason and name not in SECTIONS})
    names = Names(found)
    said = _from_flags(flags or {})
    from_environ = _from_environ(environ, known, names)
    home = _decoded("", TopSettings, _merged(from_environ, said).get("", {})).home
    layer = _from_file(file, Path(home).expanduser(), known, names)
    written = _merged(layer, from_environ, said)
    values = {
        name: _decoded(name, kind, written.get(name, {}))
        for name, kind in known.items()
        if kind is not Unread
    }
    top: Any = values.pop("")
    core = {name: values.pop(name) for name in SECTIONS if name}
    return Settings(
        home=Path(top.home).expanduser().absolute(),
        targets=top.targets,
        encryption_key=top.encryption_key,
        **core,  # type: ignore[arg-type]  # each section is decoded into the struct of its field
        sections=values,
        origins={
            f"{name}.{key}".lstrip("."): value.origin
            for name, section in written.items()
            for key, value in section.items()
        },
    )


def _merged(*layers: Layer) -> Layer:
    merged: Layer = {}
    for layer in layers:
        for section, values in layer.items():
            merged.setdefault(section, {}).update(values)
    return merged


def _from_flags(flags: Mapping[str, object]) -> Layer:
    layer: Layer = {}
    for name, value in flags.items():
        section, _, key = name.rpartition(".")
        layer.setdefault(section, {})[key] = Value(value, "flag")
    return layer


_PREFIX = "ARMILLARY_"
_NOT_OURS = ("ARMILLARY_TEST_", "ARMILLARY_BINARY")
"""Variables that the test suite reads."""


def _from_environ(
    environ: Mapping[str, str], known: Mapping[str, type[msgspec.Struct]], names: Names
) -> Layer:
    layer: Layer = {}
    for variable, text in sorted(environ.items()):
        if not variable.startswith(_PREFIX) or variable.startswith(_NOT_OURS):
            continue
        section, key = _place(variable[len(_PREFIX) :].lower(), known, names)
        if known[section] is Unread:
            continue
        if key not in known[section].__struct_fields__:
            candidates = {
                f"{_PREFIX}{name}_{field}".replace("__", "_").upper(): None
                for name, kind in known.items()
                for field in kind.__struct_fields__
            }
            message = f"No setting is called {variable}{suggestion(variable, candidates)}"
            raise ConfigError(message)
        layer.setdefault(section, {})[key] = Value(text, f"environment {variable}", text=True)
    return layer


def _place(name: str, known: Mapping[str, type[msgspec.Struct]], names: Names) -> tuple[str, str]:
    """Split a variable into section and key: the longest section that matches wins."""
    parts = name.split("_")
    for length in range(len(parts) - 1, 0, -1):
        section = "_".join(parts[:length])
        section = section if section in known else names.find(section) or ""
        if section in known and section:
            return section, "_".join(parts[length:])
    return "", name


def _from_file(
    file: Path | None, home: Path, known: Mapping[str, type[msgspec.Struct]], names: Names
) -> Layer:
    path = file or home / "armillary.toml"
    try:
        if file is None and not path.exists():
            return {}
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        message = f"The settings file {path} cannot be read: {error}."
        raise ConfigError(message) from error
    except tomllib.TOMLDecodeError as error:
        message = f"The settings file {path} is not valid TOML: {error}."
        raise ConfigError(message) from error
    layer: Layer = {}
    for name, value in content.items():
        if name in TopSettings.__struct_fields__:
            layer.setdefault("", {})[name] = Value(value, str(path))
            continue
        section = name if name in known else names.find(name) or ""
        if not section or section not in known or not isinstance(value, dict):
            known_names = [*filter(None, known), *TopSettings.__struct_fields__]
            near = suggestion(folded(name), known_names)
            if near == ".":
                near = ": take it out, or install the plugin it belongs to."
            raise ConfigError(f"{path}: there is no section [{name}]{near}")
        if known[section] is Unread:
            continue
        values = {key: Value(each, str(path)) for key, each in value.items()}
        layer.setdefault(section, {}).update(values)
    return layer


def _decoded(section: str, kind: type[S], written: Mapping[str, Value]) -> S:
    """Decode a section; ConfigError with a suggestion for a key it does not have."""
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    place = f"[{section}]" if section else "The settings"
    values: dict[str, object] = {}
    for key, value in written.items():
        if key not in fields:
            message = f"{place} has no setting `{key}` ({value.origin}){suggestion(key, fields)}"
            raise ConfigError(message)
        try:
            values[key] = _value(value, fields[key].type)
        except (msgspec.ValidationError, msgspec.DecodeError) as error:
            name = f"{section}.{key}".lstrip(".")
            message = f"{name} = {value.value!r} ({value.origin}) does not do: {error}."
            raise ConfigError(message) from error
    return kind(**values)


def _value(value: Value, kind: Any) -> object:
    if not value.text:
        return msgspec.convert(value.value, kind)
    text = str(value.value)
    shape = msgspec.inspect.type_info(kind)
    if isinstance(shape, msgspec.inspect.ListType | msgspec.inspect.VarTupleType):
        parts = [part.strip() for part in text.split(",") if part.strip()]
        return msgspec.convert(parts, kind, strict=False)
    if isinstance(shape, msgspec.inspect.DictType | msgspec.inspect.StructType):
        return msgspec.json.decode(text, type=kind)
    return msgspec.convert(text, kind, strict=False)


_SECRET = re.compile(r"(password|secret|token|passphrase|auth_string|(?:private|encryption)_key)$")
_CREDENTIALS = re.compile(r"(?<=://)([^/@\s:]*):([^/@\s]*)@")
MASK = "********"


def effective(settings: Settings) -> list[tuple[str, object, str]]:
    """List every setting, its value fit to be shown, and where it came from."""
    rows: list[tuple[str, object, str]] = [
        (name, _shown(name, value), settings.origins.get(name, "default"))
        for name, value in (
            ("home", str(settings.home)),
            ("targets", list(settings.targets)),
            ("encryption_key", list(settings.encryption_key)),
        )
    ]
    core = {name: getattr(settings, name) for name in SECTIONS if name}
    for name, section in [*core.items(), *sorted(settings.sections.items())]:
        for key in section.__struct_fields__:
            value = msgspec.to_builtins(getattr(section, key))
            if (name, key) == ("database", "url"):
                value = settings.database_url
            origin = settings.origins.get(f"{name}.{key}", "default")
            rows.append((f"{name}.{key}", _shown(key, value), origin))
    return rows


def _shown(key: str, value: object) -> object:
    if _SECRET.search(key) and value:
        return MASK
    if isinstance(value, str):
        return hide_password(value)
    return value


def hide_password(url: str) -> str:
    """Put a mask where a URL has a password."""
    return _CREDENTIALS.sub(lambda found: f"{found[1]}:{MASK}@", url)
