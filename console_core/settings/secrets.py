"""Secrets in console.toml: where they stand, and how a text is told without them."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from console_core.settings.section import REFERENCE, SECRET

SECRET_TABLES = frozenset({"headers"})
"""Tables of texts all of which are secrets."""
ADDRESSES = frozenset({"url", "location"})
"""Settings that may be a variable as a whole, which then may have a password in it."""
HIDDEN = "•••"
_SHORTEST = 3
"""A shorter text would be found everywhere."""
_USER = re.compile(r"^(?P<scheme>(?:[A-Za-z][\w+.-]*:)+//)(?P<user>[^/?#]*|[^/?#@:]*:(?!\d+[/?#])[^@]*)@")
"""The user of an address, also one whose password was not encoded as it should be."""
_OPTION = re.compile(r"(?P<name>[?&;](?:[\w-]*(?:password|passwd|pwd|secret|token|api_?key))=)(?P<value>[^&;#]*)", re.I)


def reference(text: str) -> str:
    """The variable that a text consists of, `${NAME}`; "" where it is anything else."""
    found = REFERENCE.fullmatch(text)
    return found[1] if found else ""


def has_password(address: str) -> bool:
    """Whether an address has a password or a token in it that is no reference to the environment."""
    return any(not _is_referred(secret) for secret in _of_address(address))


def without_password(address: str) -> str:
    """An address with what is secret in it hidden, references included."""
    address = _USER.sub(lambda found: f"{found['scheme']}{_hidden_user(*found.groups())}@", address)
    return _OPTION.sub(lambda found: f"{found['name']}{HIDDEN}", address)


def secrets_of(table: Mapping[str, Any], environment: Mapping[str, str] = os.environ) -> frozenset[str]:
    """Every secret of console.toml, as it is written there and as the environment gives it: to be hidden, never shown.

    Raises nothing where a variable is not set. The store's key from the environment is one of them.
    """
    found = [environment.get("CONSOLE_STORE_API_KEY", "")]
    found += _of_address(environment.get("CONSOLE_STORE_URL", ""))
    found += _of_address(environment.get("CONSOLE_CATALOG_URL", ""))
    for secret in _of_table(table):
        found += [secret, REFERENCE.sub(lambda name: environment.get(name[1], ""), secret)]
        found += [environment.get(name, "") for name in REFERENCE.findall(secret)]
    found += [one for text in found for one in _of_address(text)]
    found += [unquote(text) for text in found]
    return frozenset(secret for secret in found if len(secret) >= _SHORTEST and not _is_referred(secret))


def scrubbed(text: str, secrets: Iterable[str]) -> str:
    """A text with every secret in it hidden, the longest first."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return text


def _of_table(table: Mapping[str, Any]) -> Iterator[str]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _texts(value.values()) if key in SECRET_TABLES else _of_table(value)
        elif key in SECRET:
            yield from _texts([value])
        else:
            for text in _texts(value if isinstance(value, list) else [value]):
                yield from _of_address(text)
                if reference(text) and key in ADDRESSES:
                    yield text


def _texts(values: Iterable[Any]) -> Iterator[str]:
    return (value if isinstance(value, str) else str(value) for value in values if value not in (None, ""))


def _of_address(address: str) -> list[str]:
    """What is secret in an address: the password of its user, the user alone where it is a token, and options."""
    found = [option["value"] for option in _OPTION.finditer(address)]
    if (user := _USER.match(address)) is not None:
        name, colon, password = user["user"].partition(":")
        found += [password] if colon else [name] if _is_token(user["scheme"]) else []
    return [secret for secret in found if secret]


def _hidden_user(scheme: str, user: str) -> str:
    name, colon, _ = user.partition(":")
    return f"{name}:{HIDDEN}" if colon else HIDDEN if _is_token(scheme) else name


def _is_token(scheme: str) -> bool:
    """Whether a user without a password is one, as servers of the web have it."""
    return scheme.startswith(("http", "grpc"))


def _is_referred(secret: str) -> bool:
    return REFERENCE.sub("", secret) == ""
