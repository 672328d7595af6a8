"""Which addresses lie in a root, however they are spelled, and which hosts are anybody's."""

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console_core.catalog.names import told
from console_core.catalog.web_addresses import is_outside, is_public, located, parsed, without_dots
from console_core.errors import ImageError, ImageForbidden

ROOT = parsed("https://host.example/a/prefix/")


def lies_at(path: str) -> str:
    return str(located(path, (ROOT,), str(ROOT)))


@pytest.mark.parametrize(
    ("path", "address"),
    [
        ("b.jpg", "/a/prefix/b.jpg"),
        ("./c/../b.jpg", "/a/prefix/b.jpg"),
        ("c//b.jpg", "/a/prefix/c//b.jpg"),
        ("a b%.jpg", "/a/prefix/a%20b%25.jpg"),
        ("HTTPS://HOST.example:443/a/prefix/b%20c.jpg", "/a/prefix/b%20c.jpg"),
        ("https://host.example/a/prefix/b c.jpg?w=1&t=a/b=", "/a/prefix/b%20c.jpg?w=1&t=a/b="),
        ("https://host.example/x/../a/prefix/b.jpg#part", "/a/prefix/b.jpg"),
        ("file:b.jpg", "/a/prefix/file:b.jpg"),
    ],
)
def test_what_lies_in_the_root_has_one_spelling(path: str, address: str) -> None:
    assert lies_at(path) == f"https://host.example{address}"


@pytest.mark.parametrize(
    "path",
    [
        "http://host.example/a/prefix/b.jpg",
        "https://host.example:8443/a/prefix/b.jpg",
        "https://host.example.evil/a/prefix/b.jpg",
        "https://evil.example/a/prefix/b.jpg",
        "https://host.example@evil.example/a/prefix/b.jpg",
        "https://user@host.example/a/prefix/b.jpg",
        "https://host.example/a/prefixed/b.jpg",
        "https://host.example/a/prefix/../b.jpg",
        "https://host.example/a/prefix/%2E%2e/b.jpg",
        "https://host.example/a/prefix/%252e%252e/b.jpg",
        "https://host.example/a/prefix/..%2fb.jpg",
        "https://host.example/a/prefix/x%5c..%5c..%5cb.jpg",
        "https://host.example/b.jpg",
        "https://[host/a/prefix/b.jpg",
        "https:///a/prefix/b.jpg",
        "//host.example/a/prefix/b.jpg",
        "..\\b.jpg",
        "javascript://host.example/a/prefix/b.jpg",
    ],
)
def test_what_only_looks_as_if_it_did_is_refused(path: str) -> None:
    with pytest.raises(ImageForbidden, match="outside the image roots"):
        lies_at(path)


def test_a_password_in_an_address_is_not_told() -> None:
    with pytest.raises(ImageForbidden) as refused:
        lies_at("https://user:s3cret@host.example/a/prefix/b.jpg?token=s3cret")
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("before", ["", "ingest:shop:"])
@pytest.mark.parametrize("user", ["user:s3cret@", "s3cret@", "s3cret@mail.example:s3cret@", "user:s3c?s3cret@"])
def test_neither_a_user_nor_a_signature_is_told_of_a_path_or_a_key(before: str, user: str) -> None:
    assert told(f"{before}https://{user}host.example/a.jpg?sig=s3cret") == f"{before}https://host.example/a.jpg?…"
    assert told(f"{before}https://host.example/a@b.jpg") == f"{before}https://host.example/a@b.jpg"
    assert told(f"{before}what? a@b.jpg") == f"{before}what? a@b.jpg"


@given(st.text(st.sampled_from("ab./\\%2eEfF5cC?#&@: "), max_size=24))
def test_no_name_leads_outside_however_often_it_is_decoded(name: str) -> None:
    try:
        path = lies_at(name).removeprefix("https://host.example").partition("?")[0]
    except ImageError:
        return
    for _ in range(4):
        assert without_dots(path.replace("\\", "/"), str).startswith("/a/prefix")
        path = unquote(path)


@pytest.mark.parametrize(("name", "outside"), [("a/../b", False), ("a/../../b", True), ("", False), (".", False)])
def test_a_name_is_outside_where_it_leads_above_its_beginning(name: str, outside: bool) -> None:
    assert is_outside(name) is outside


@pytest.mark.parametrize(
    ("host", "public"),
    [
        ("93.184.216.34", True),
        ("2606:4700::1111", True),
        ("::ffff:93.184.216.34", True),
        ("64:ff9b::5db8:d822", True),
        ("127.0.0.1", False),
        ("127.9.9.9", False),
        ("0.0.0.0", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.0.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("198.18.0.1", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("240.0.0.1", False),
        ("::", False),
        ("::1", False),
        ("::7f00:1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:169.254.169.254", False),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", False),
        ("fe80::1%eth0", False),
        ("fec0::1", False),
        ("fd00::1", False),
        ("ff02::1", False),
        ("2130706433", False),
        ("127.1", False),
        ("0177.0.0.1", False),
        ("host.example", False),
    ],
)
def test_an_address_is_public_only_where_anybody_can_reach_it(host: str, public: bool) -> None:
    assert is_public(host) is public
