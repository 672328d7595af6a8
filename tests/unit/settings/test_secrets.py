"""Secrets are known wherever they stand in console.toml, and hidden in whatever is told."""

import pytest

from console_core.settings.secrets import has_password, reference, scrubbed, secrets_of, without_password


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql://olga:s3cret@db/app", "postgresql://olga:•••@db/app"),
        (
            "postgresql+psycopg://olga:s3c@ret@db/app?sslmode=require",
            "postgresql+psycopg://olga:•••@db/app?sslmode=require",
        ),
        (
            "postgresql://olga@db/app?password=s3cret&sslmode=require",
            "postgresql://olga@db/app?password=•••&sslmode=require",
        ),
        ("blob:postgresql://olga:s3cret@db/app", "blob:postgresql://olga:•••@db/app"),
        ("https://s3cret@host:6333", "https://•••@host:6333"),
        ("https://host:6333/?api_key=s3cret", "https://host:6333/?api_key=•••"),
        ("mssql://sa:p%40ss@host/x", "mssql://sa:•••@host/x"),
        ("mssql://sa:s3/cr#et@host/x", "mssql://sa:•••@host/x"),
    ],
)
def test_an_address_with_a_password_is_told_without_it(address: str, shown: str) -> None:
    assert has_password(address)
    assert without_password(address) == shown


@pytest.mark.parametrize(
    "address",
    [
        "local:qdrant",
        "edge:/srv/a:b@c",
        "postgresql://olga@db/app",
        "postgresql://olga:${DB_PASSWORD}@db/app",
        "postgresql://olga@db/app?password=${DB_PASSWORD}",
        "grpc://host:6334",
        "blob:sqlite:////srv/a@b:c.db",
        "sqlite:///a@b:c.db",
        "/srv/pictures/anna@home:1",
        "http://host:8000/anna@home/",
        "${DATABASE_URL}",
    ],
)
def test_an_address_without_one_is_not_suspected(address: str) -> None:
    assert not has_password(address)


def test_every_secret_of_the_file_is_known_as_written_and_as_the_environment_gives_it() -> None:
    table = {
        "store": {"url": "postgresql://olga:${PG}@db/app", "api_key": "literal-key"},
        "catalog": {"location": "${WHOLE}", "table": "images"},
        "images": {
            "http": {"headers": {"Authorization": "Bearer ${TOKEN}"}},
            "s3": {"key": "id", "secret": "s3-secret"},
        },
        "models": {"mine": {"title": "A title"}},
    }
    environment = {
        "PG": "pg-secret",
        "WHOLE": "mysql://a:whole-secret@db/x",
        "TOKEN": "token-secret",
        "CONSOLE_STORE_API_KEY": "from-outside",
        "CONSOLE_CATALOG_URL": "mysql://a:p%40ss@db/x",
    }
    found = secrets_of(table, environment)
    for secret in ("literal-key", "pg-secret", "whole-secret", "token-secret", "s3-secret", "from-outside", "p@ss"):
        assert secret in found
        assert secret not in scrubbed(f"it says {secret}!", found)
    assert not found & {"images", "A title", "id", "${PG}", "olga"}
    assert scrubbed("the table images of olga", found) == "the table images of olga"


def test_a_secret_that_is_part_of_another_uncovers_nothing_of_it() -> None:
    assert scrubbed("password abcdef", {"abc", "abcdef"}) == "password •••"


@pytest.mark.parametrize(("text", "name"), [("${A_1}", "A_1"), ("x${A}", ""), ("${A}${B}", ""), ("$A", ""), ("", "")])
def test_a_reference_is_a_whole_text(text: str, name: str) -> None:
    assert reference(text) == name
