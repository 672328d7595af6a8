"""Names of pictures as text that can be stored anywhere, and back; and as people are told them.

A file name is bytes; where they are not UTF-8, Python keeps them as lone surrogates, which no database, JSON document
or log accepts. Everywhere in the console such a byte is written as \\xNN instead.
"""

import re

_NAMED_USER = re.compile(r"://[^/]*@")
_ESCAPED = re.compile(rb"\\x([89a-f][0-9a-f])")


def printable(name: str) -> str:
    """The name as valid text: bytes that are not UTF-8 become \\xNN."""
    return name if name.isascii() else name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def on_disk(text: str) -> str:
    """The name that `printable` was given."""
    raw = text.encode("utf-8", "surrogateescape")
    return _ESCAPED.sub(lambda found: bytes((int(found[1], 16),)), raw).decode("utf-8", "surrogateescape")


def told(path: str) -> str:
    """A path, or the key of an ingested picture, as people are told it: an address without what follows its path and
    what stands before its host, which may be somebody's key to it."""
    plain = _NAMED_USER.sub("://", path, count=1)
    address, mark, _ = plain.partition("?")
    return f"{address}?…" if mark and "://" in address else plain


def names_user(address: str) -> bool:
    """Whether an address has a user's name, or a password, before its host."""
    return _NAMED_USER.search(address) is not None
