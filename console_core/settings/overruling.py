"""Which settings of console.toml the environment wins over."""

import os
from collections.abc import Mapping

OVERRULED: Mapping[tuple[str, str], str] = {
    ("store", "url"): "CONSOLE_STORE_URL",
    ("store", "api_key"): "CONSOLE_STORE_API_KEY",
    ("catalog", "location"): "CONSOLE_CATALOG_URL",
    ("images", "root"): "CONSOLE_IMAGE_ROOT",
    ("images", "also"): "CONSOLE_IMAGE_ROOT",
    ("ledger", "url"): "CONSOLE_LEDGER_URL",
    ("", "device"): "CONSOLE_DEVICE",
    ("", "precision"): "CONSOLE_PRECISION",
    ("", "engine"): "CONSOLE_ENGINE",
    ("api", "token"): "CONSOLE_API_TOKEN",
}
"""The variable that wins over a setting, by its section and name. The others are told by the environment only."""


def overruled(section: str, name: str, environment: Mapping[str, str] = os.environ) -> str:
    """The variable that wins over this setting now; "" where the file counts."""
    variable = OVERRULED.get((section, name), "")
    return variable if environment.get(variable) else ""


def is_set(variable: str, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether a variable that the file refers to has a value."""
    return bool(environment.get(variable))
