"""Dataclasses from the tables of a recipe: unknown keys and wrong types are refused by name."""

import dataclasses
import json
import re
from collections.abc import Mapping
from typing import Any, TypeVar

from infofuse.errors import InfofuseError, unknown

T = TypeVar("T")


def assignment(text: str, example: str) -> tuple[str, str]:
    """The key and the value of `--set key=value`. Raises InfofuseError where there is no "="."""
    key, equals, value = text.partition("=")
    if not equals:
        raise InfofuseError(f"--set takes key=value, such as {example}; found {text!r}")
    return key.strip(), value


def from_table(kind: type[T], table: Any, name: str) -> T:
    """A dataclass from a table called `name`.

    Raises InfofuseError for what is no table, for a key that does not exist, with the nearest one
    that does, and for a value of the wrong type.
    """
    from pydantic import TypeAdapter, ValidationError

    if not isinstance(table, Mapping):
        raise InfofuseError(f"{name} = {shown(table)}: a table was expected, such as [{name}]")
    refuse_unknown(kind, table, f"{name}.")
    try:
        return TypeAdapter(kind).validate_python(dict(table))
    except ValidationError as error:
        first = error.errors()[0]
        said = first.get("ctx", {}).get("error")
        if isinstance(said, InfofuseError):  # a dataclass refuses its own values best
            raise said from None
        key = ".".join([name, *map(str, first["loc"])])
        found, said = first["input"], first["msg"].lower()
        if first["type"] == "tuple_type":
            items = re.split(r",\s*", found) if isinstance(found, str) else [found]
            said = f"it takes a list, such as {json.dumps(items, default=str)}"
        raise InfofuseError(f"{key} = {shown(found)}: {said}") from None


def shown(value: Any) -> str:
    """A value as a sentence shows it, cut where it is long."""
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"


_MOST_SHOWN = 160


def plain(value: Any) -> Any:
    """The tables of a dataclass (by `dataclasses.asdict`) as TOML can say them."""
    if isinstance(value, Mapping):
        return {k: plain(v) for k, v in value.items() if v is not None}
    return [plain(v) for v in value] if isinstance(value, list | tuple) else value


def refuse_unknown(kind: type, table: Mapping[str, Any], prefix: str) -> None:
    """Raise InfofuseError for a key of the table that is no field of the dataclass."""
    known = [f"{prefix}{field.name}" for field in dataclasses.fields(kind)]
    for key in table:
        if f"{prefix}{key}" not in known:
            raise unknown("key", f"{prefix}{key}", known)
