"""Static files under addresses that hold their content's hash, so that browsers may keep them."""

import gzip
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

ASSETS_PATH = "/ui/static"
"""Where the static files are served, below the base path."""

STATIC = Path(__file__).parent / "static"

BUNDLES: Mapping[str, tuple[str, ...]] = {"armillary.css": ("tokens.css", "app.css")}
"""Files put together into one when the table is built: a request less on a cold page."""

CONTENT_TYPES: Mapping[str, str] = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}

_FOREVER = "public, max-age=31536000, immutable"
_LEAST_SAVING = 0.9


class Asset(msgspec.Struct, frozen=True):
    """A static file, ready to be sent."""

    content: bytes
    content_type: str
    headers: Mapping[str, str]
    gzipped: bytes | None
    """The compressed content, where compression saves at least a tenth."""


class UnknownAssetError(LookupError):
    """A template names a static file that is not there."""


class Assets:
    """All static files, read and hashed once at the start.

    `folders` maps a prefix to a folder: a plugin's files are named `<prefix>/<file>`, those of the
    design system have no prefix.
    """

    def __init__(self, *, base_path: str = "", folders: Mapping[str, Path] | None = None) -> None:
        self._base_path = base_path.rstrip("/")
        self._addresses: dict[str, str] = {}
        self._assets: dict[str, Asset] = {}
        for name, content in _files(STATIC, dict(folders or {})):
            address = f"{ASSETS_PATH}/{_hashed(name, content)}"
            self._addresses[name] = address
            self._assets[address] = _prepare(Path(name).suffix, content)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self._addresses))

    def url(self, name: str) -> str:
        """The address of a file for a link, base path included."""
        try:
            return self._base_path + self._addresses[name]
        except KeyError:
            raise UnknownAssetError(
                f"No static file is called {name!r}. There are: {', '.join(self.names)}."
            ) from None

    def read(self, path: str) -> Asset | None:
        """The file at a request's path, given without the base path; None when there is none."""
        return self._assets.get(path)


def _files(own: Path, folders: Mapping[str, Path]) -> Iterator[tuple[str, bytes]]:
    bundled = {part for parts in BUNDLES.values() for part in parts}
    for name, parts in BUNDLES.items():
        yield name, b"\n".join((own / part).read_bytes() for part in parts)
    for prefix, folder in {"": own, **folders}.items():
        for file in sorted(folder.rglob("*")):
            name = "/".join(filter(None, (prefix, file.relative_to(folder).as_posix())))
            if file.suffix in CONTENT_TYPES and name not in bundled:
                yield name, file.read_bytes()


def _hashed(name: str, content: bytes) -> str:
    stem, dot, suffix = name.rpartition(".")
    return f"{stem}.{hashlib.sha256(content).hexdigest()[:12]}{dot}{suffix}"


def _prepare(suffix: str, content: bytes) -> Asset:
    packed = gzip.compress(content, compresslevel=9, mtime=0)
    return Asset(
        content=content,
        content_type=CONTENT_TYPES[suffix],
        headers={
            "cache-control": _FOREVER,
            "vary": "accept-encoding",
            "x-content-type-options": "nosniff",
        },
        gzipped=packed if len(packed) < len(content) * _LEAST_SAVING else None,
    )
