"""JSON schemas of the types that requests and answers are made of.

msgspec writes such schemas too, but not for members whose default is raw JSON.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

import msgspec
from msgspec import inspect as mi

Schema: TypeAlias = dict[str, Any]

_PLAIN: dict[type[mi.Type], Schema] = {
    mi.AnyType: {},
    mi.RawType: {},
    mi.CustomType: {},
    mi.NoneType: {"type": "null"},
    mi.BoolType: {"type": "boolean"},
    mi.DateTimeType: {"type": "string", "format": "date-time"},
    mi.TimeDeltaType: {"type": "string", "format": "duration"},
    mi.UUIDType: {"type": "string", "format": "uuid"},
    mi.BytesType: {"type": "string", "contentEncoding": "base64"},
}
_BOUNDS = (
    ("ge", "minimum"), ("gt", "exclusiveMinimum"), ("le", "maximum"), ("lt", "exclusiveMaximum"),
    ("min_length", "minLength"), ("max_length", "maxLength"), ("pattern", "pattern"),
)  # fmt: skip


class Schemas:
    """Schemas by reference: every struct and enumeration is written once, as a component."""

    def __init__(self, kinds: Iterable[Any]) -> None:
        self.components: dict[str, Schema] = {}
        self._named: dict[type, str] = {}
        unique = {repr(kind): kind for kind in kinds}
        infos = mi.multi_type_info(unique.values())
        self._by_kind = {name: self._schema(info) for name, info in zip(unique, infos, strict=True)}

    def of(self, kind: Any) -> Schema:
        """Return the schema of one of the types."""
        return self._by_kind[repr(kind)]

    def parameters(self, query: Any) -> list[Schema]:
        """Describe the members of a struct as parameters of a query."""
        return [
            {
                "name": field.encode_name,
                "in": "query",
                "required": field.required,
                "schema": self._schema(field.type) | _default(field),
            }
            for field in mi.type_info(query).fields  # type: ignore[attr-defined]  # a struct's
        ]

    def _schema(self, info: mi.Type) -> Schema:  # noqa: C901, PLR0911 - one case a kind of type
        plain = _PLAIN.get(type(info))
        if plain is not None:
            return dict(plain)
        match info:
            case mi.Metadata():
                return self._schema(info.type) | (info.extra_json_schema or {})
            case mi.IntType() | mi.FloatType() | mi.StrType():
                return _scalar(info)
            case mi.UnionType():
                return {"anyOf": [self._schema(each) for each in info.types]}
            case mi.LiteralType():
                return {"enum": sorted(info.values, key=str)}
            case mi.ListType() | mi.SetType() | mi.FrozenSetType() | mi.VarTupleType():
                return {"type": "array", "items": self._schema(info.item_type)}
            case mi.TupleType():
                return {"type": "array", "prefixItems": list(map(self._schema, info.item_types))}
            case mi.DictType():
                return {"type": "object", "additionalProperties": self._schema(info.value_type)}
            case mi.EnumType():
                return self._component(info.cls, lambda: {"enum": [e.value for e in info.cls]})
            case mi.StructType():
                return self._component(info.cls, lambda: self._struct(info))
        message = f"no schema is known for {info!r}"
        raise TypeError(message)

    def _component(self, kind: type, write: Any) -> Schema:
        name = self._named.get(kind)
        if name is None:
            name = kind.__name__.lstrip("_")
            if name in self.components:
                module = kind.__module__.split(".")
                name = f"{''.join(part.title() for part in module[-2:])}{name}".replace("_", "")
            self._named[kind] = name
            self.components[name] = {}
            self.components[name] = {"title": name, **write()}
        return {"$ref": f"#/components/schemas/{name}"}

    def _struct(self, info: mi.StructType) -> Schema:
        schema: Schema = {
            "type": "object",
            "properties": {
                field.encode_name: self._schema(field.type) | _default(field)
                for field in info.fields
            },
        }
        if info.tag_field is not None:
            schema["properties"] = {info.tag_field: {"const": info.tag}, **schema["properties"]}
        required = [field.encode_name for field in info.fields if field.required]
        if required:
            schema["required"] = required
        return schema


def _scalar(info: mi.IntType | mi.FloatType | mi.StrType) -> Schema:
    kinds = {mi.IntType: "integer", mi.FloatType: "number", mi.StrType: "string"}
    schema: Schema = {"type": kinds[type(info)]}
    for member, keyword in _BOUNDS:
        bound = getattr(info, member, None)
        if bound is not None:
            schema[keyword] = bound
    return schema


def _default(field: mi.Field) -> Schema:
    """Show a default that JSON can say; a null and what is raw are left out."""
    if field.default in (msgspec.NODEFAULT, msgspec.UNSET, None):
        return {}
    try:
        return {"default": msgspec.to_builtins(field.default, str_keys=True)}
    except TypeError:
        return {}
