"""Addresses on the web: which lie in a root, however they are spelled, and which hosts are anybody's."""

import ipaddress
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from console_core.catalog.names import told
from console_core.errors import ImageForbidden, ImageMissing

PORTS = {"http": 80, "https": 443}
_NAME = "-._~!$&'()*+,;=:@/"
"""What stands for itself in a path."""
_ENCODED = re.compile(r"%(?![0-9A-Fa-f]{2})")
_DEEPEST = 5

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
Origin = tuple[str, str, int]
"""Scheme, host and port: a server, as far as trust goes."""


@dataclass(frozen=True, slots=True)
class Address:
    """An address as it is sent: `path` is encoded, begins with a slash and has neither `.` nor `..` in it."""

    origin: Origin
    path: str
    query: str = ""

    def __str__(self) -> str:
        scheme, host, port = self.origin
        named = f"[{host}]" if ":" in host else host
        at = "" if port == PORTS[scheme] else f":{port}"
        return f"{scheme}://{named}{at}{self.path}{'?' if self.query else ''}{self.query}"

    def holds(self, other: "Address") -> bool:
        """Whether the other lies below this one."""
        return other.origin == self.origin and f"{other.path}/".startswith(f"{self.path.rstrip('/')}/")


class ImageOutside(ImageForbidden):
    """Its path leads outside all image roots. Nobody was asked for it, so it says nothing of any server or disk."""


def is_address(path: str) -> bool:
    """Whether a path of the catalog is an address, of whatever kind, and no name."""
    return _ADDRESS.match(path) is not None


def parsed(url: str) -> Address:
    """An absolute http or https URL.

    Raises:
        ValueError: it is none, or has a user's name in it.
    """
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    if scheme not in PORTS or not parts.hostname or parts.username is not None or parts.password is not None:
        raise ValueError("no http(s) address, or a user's name in it")
    host = parts.hostname
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii")
        except UnicodeError as error:
            raise ValueError("no name of a host") from error
    port = parts.port or PORTS[scheme]
    path = quote(_ENCODED.sub("%25", parts.path), safe=f"%{_NAME}")
    query = quote(_ENCODED.sub("%25", parts.query), safe=f"%?{_NAME}")
    return Address((scheme, host, port), without_dots(path or "/"), query)


def below(root: Address, name: str) -> Address:
    """The address of a name, which is not encoded, below a root.

    Raises:
        ValueError: it leads outside, under any number of decodings, or has a character that no address can have.
    """
    if is_outside(name):
        raise ValueError("it leads outside")
    path = f"{root.path.rstrip('/')}/{quote(name, safe=_NAME)}"
    return Address(root.origin, without_dots(path))


def without_dots(path: str, plain: Callable[[str], str] = unquote) -> str:
    """The path without the segments `.` and `..`, also where they are encoded. `..` does not lead above the top."""
    kept: list[str] = []
    segments = path.split("/")
    for number, segment in enumerate(segments):
        is_what = plain(segment)
        if is_what == ".." and len(kept) > 1:
            kept.pop()
        if is_what not in (".", ".."):
            kept.append(segment)
        elif number == len(segments) - 1:
            kept.append("")
    return "/".join(kept)


def is_outside(name: str) -> bool:
    """Whether a name leads above where it starts from, however often a server decodes it."""
    for _ in range(_DEEPEST):
        depth = 0
        for segment in name.replace("\\", "/").split("/"):
            depth += {"": 0, ".": 0, "..": -1}.get(segment, 1)
            if depth < 0:
                return True
        decoded = unquote(name)
        if decoded == name:
            return False
        name = decoded
    return True


def located(path: str, roots: tuple[Address, ...], location: str) -> Address:
    """The address of a catalog's path: a name below the first root, or an absolute address in any of them.

    Raises:
        ImageOutside: it leads outside all roots.
        ImageMissing: nothing can have that name.
    """
    if path.startswith("/"):
        raise outside(path, location)
    try:
        if not is_address(path):
            return below(roots[0], path)
        address = parsed(path)
    except UnicodeError as error:
        raise ImageMissing(
            f"{told(path)} cannot be asked for: it has a character that no address can have.",
            "Correct the path in the catalog.",
            path=path,
        ) from error
    except ValueError:  # not chained: it may hold what must not be shown
        raise outside(path, location) from None
    for root in roots:
        rest = address.path[len(root.path.rstrip("/")) :]
        if root.holds(address) and not is_outside(rest.lstrip("/")):
            return address
    raise outside(path, location)


def spelled(address: str) -> str:
    """An address as everybody spells it: no dots, no usual port, a host in lower case. As it is where it is none."""
    scheme, _, rest = address.partition("://")
    if scheme == "s3" and not is_outside(rest.partition("/")[2]):
        return f"{scheme}://{without_dots(rest, str)}"
    try:
        return str(parsed(address))
    except ValueError:
        return address


def lies_below(address: str, roots: Iterable[str]) -> bool:
    """Whether an address of whatever kind lies in one of the image roots, which are addresses too."""
    for root in roots:
        if root.startswith("s3://"):
            if address.startswith(root) and not is_outside(address[len(root) :]):
                return True
        else:
            with suppress(ImageOutside, ImageMissing):
                located(address, (parsed(root),), root)
                return True
    return False


def outside(path: str, location: str) -> ImageOutside:
    return ImageOutside(
        f"{told(path)} leads outside the image roots: {location}.",
        "Correct the path in the catalog, or add where it lies to the image roots.",
        path=path,
    )


def is_public(host: str) -> bool:
    """Whether an address, as four or six groups of numbers, is one that anybody can reach."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        if not all(is_public(str(inner)) for inner in _within(address)) or address.is_site_local:
            return False
        if address.ipv4_mapped is not None or address in _TRANSLATED:
            return True
    return address.is_global and not address.is_multicast and not address.is_reserved


_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")


def _within(address: ipaddress.IPv6Address) -> list[ipaddress.IPv4Address]:
    """The IPv4 addresses that an IPv6 address leads to."""
    found = [one for one in (address.ipv4_mapped, address.sixtofour) if one is not None]
    if address.teredo is not None:
        found += address.teredo
    if address in _TRANSLATED:
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    if int(address) >> 32 == 0:  # ::a.b.c.d, as it was once written; ::1 as well
        found.append(ipaddress.IPv4Address(int(address)))
    return found


def is_number(host: str) -> bool:
    """Whether a host is no name: it is connected to without asking for its address, in whatever way it is written."""
    return ":" in host or host.replace(".", "").isdigit()
