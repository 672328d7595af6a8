"""A ledger that is named wrongly, or whose driver is not installed."""

import sys

import pytest

from console_core.database import Database
from console_core.errors import LedgerUnavailable


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql+nosuchdriver://olga:s3cret@host/books", "nosuchdriver"),
        ("nosuchdialect://olga:s3cret@host/books", "nosuchdialect"),
        ("postgresql://olga:s3cret@host:port/books", "cannot be understood"),
        ("books", "cannot be understood"),
    ],
)
def test_a_ledger_url_that_cannot_be_used_is_explained_without_its_password(url: str, said: str) -> None:
    with pytest.raises(LedgerUnavailable, match=said) as failure:
        Database(url)
    assert failure.value.remedy
    assert "s3cret" not in str(failure.value)


def test_a_driver_that_is_not_installed_is_named_with_where_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "MySQLdb", None)
    with pytest.raises(LedgerUnavailable, match=r"\*\*\*@host/books needs the driver MySQLdb.*Install MySQLdb"):
        Database("mysql://olga:s3cret@host/books")
