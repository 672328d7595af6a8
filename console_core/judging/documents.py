"""Frozen dataclasses as JSON: their fields, and those of their properties that are sentences or numbers."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from math import isfinite
from typing import Any

_LEFT_OUT = {("Verdict", "sample"), ("Verdict", "differences"), ("Verdict", "protocol")}
"""What is elsewhere in the document of an outcome."""
_SHOWN = {"label", "text", "share", "loss", "finding", "summary", "decides", "looked", "queries", "measure", "spread"}
"""Properties that are written too, where a class has them."""


def document(value: Any) -> Any:
    """A value that `json.dumps` can write, the same for the same value. What is not finite is None."""
    if is_dataclass(value) and not isinstance(value, type):
        kind = type(value)
        names = [field.name for field in fields(value) if (kind.__name__, field.name) not in _LEFT_OUT]
        names += sorted(name for name in _SHOWN if isinstance(getattr(kind, name, None), property))
        return {name: document(getattr(value, name)) for name in names}
    if isinstance(value, Mapping):
        return {str(key): document(each) for key, each in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [document(each) for each in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, float):
        return value if isfinite(value) else None
    return value
