"""Signed addresses."""

import stat
import time
from pathlib import Path

import pytest

from console_core.errors import SettingsError
from console_core.web import signing


@pytest.fixture(autouse=True)
def _no_remembered_secrets() -> None:
    signing.secret_of.cache_clear()


def test_the_secret_is_made_once_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    first = signing.secret_of(tmp_path)
    signing.secret_of.cache_clear()
    assert signing.secret_of(tmp_path) == first
    assert len(first) == 32
    assert stat.S_IMODE((tmp_path / signing.SECRET_FILE).stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == [signing.SECRET_FILE]


def test_a_damaged_secret_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / signing.SECRET_FILE).write_text("not hexadecimal")
    with pytest.raises(SettingsError, match="delete the file"):
        signing.secret_of(tmp_path)


def test_a_signature_holds_for_its_parts_in_their_order_until_it_expires() -> None:
    soon = int(time.time()) + 60
    signed = signing.signature(b"secret", "small", "a/b", "r1", soon)
    assert signing.is_valid(b"secret", signed, soon, "small", "a/b", "r1")
    assert not signing.is_valid(b"secret", signed, soon, "large", "a/b", "r1")
    assert not signing.is_valid(b"secret", signed, soon, "small", "a", "b", "r1")
    assert not signing.is_valid(b"secret", signed, soon + 1, "small", "a/b", "r1")
    assert not signing.is_valid(b"other", signed, soon, "small", "a/b", "r1")
    assert not signing.is_valid(b"secret", "né", soon, "small", "a/b", "r1")
    past = int(time.time()) - 1
    assert not signing.is_valid(b"secret", signing.signature(b"secret", "x", past), past, "x")


def test_addresses_stay_the_same_for_six_hours_and_hold_at_least_six() -> None:
    start = 1_800_000_000 // signing.BUCKET * signing.BUCKET
    assert signing.expiry(start) == signing.expiry(start + signing.BUCKET - 1)
    assert signing.expiry(start + signing.BUCKET) == signing.expiry(start) + signing.BUCKET
    assert signing.expiry(start + signing.BUCKET - 1) - (start + signing.BUCKET - 1) > signing.BUCKET
