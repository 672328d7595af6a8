"""What an access token permits, as it says itself; a plain key says nothing and is not guessed at."""

import base64
import json
from typing import Any

import pytest

from console_core.vectorstore.qdrant_access import claimed
from console_core.vectorstore.qdrant_versions import keeps_metadata, too_old

PLACE = "The Qdrant server at https://q"


def token(**claims: Any) -> str:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJIUzI1NiJ9.{body}.c2lnbmVk"


def refused(name: str, *, exists: bool, **claims: Any) -> str:
    found = claimed(token(**claims))
    assert found is not None
    error = found.refuse(name, exists=exists, place=PLACE)
    return "" if error is None else error.message


@pytest.mark.parametrize("key", ["", "secret", "a.b.c", "a.e30.c.d", "x.bm90IGpzb24.y", "x.W10.y"])
def test_a_plain_key_says_nothing(key: str) -> None:
    assert claimed(key) is None


@pytest.mark.parametrize(
    ("access", "name", "exists", "says"),
    [
        ("m", "new", False, ""),
        ("r", "new", False, "may read and not write"),
        ([{"collection": "a", "access": "rw"}], "a", True, ""),
        ([{"collection": "a", "access": "r"}], "a", True, 'may not write to the collection "a"'),
        ([{"collection": "a", "access": "rw"}], "b", True, 'may not write to the collection "b"'),
        ([{"collection": "a", "access": "rw"}], "a", False, "may not make the collection"),
    ],
)
def test_a_token_says_what_it_permits(access: Any, name: str, exists: bool, says: str) -> None:
    told = refused(name, exists=exists, access=access)
    assert bool(told) == bool(says)
    assert says in told


def test_a_token_that_has_ended_is_refused_whatever_it_permitted_and_is_never_shown() -> None:
    told = refused("a", exists=True, access="m", exp=1_000_000_000)
    assert "ended at 2001-09-09 01:46 UTC" in told
    assert token(access="m", exp=1_000_000_000) not in told
    assert refused("a", exists=True, access="m", exp=99_999_999_999) == ""


@pytest.mark.parametrize(
    ("version", "works", "metadata"),
    [
        ("1.9.7", False, False),
        ("0.11.0", False, False),
        ("1.10.0", True, False),
        ("v1.15.4", True, False),
        ("1.16.0", True, True),
        ("1.20.0-dev", True, True),
        ("2.0.1", True, True),
        ("", True, True),
    ],
)
def test_a_version_says_whether_the_console_works_with_it(version: str, works: bool, metadata: bool) -> None:
    assert (too_old(version) == "", keeps_metadata(version)) == (works, metadata)
