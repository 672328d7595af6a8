"""A selection among a list of pictures as short text, for an address: at most 340 characters for any of 2,000."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from itertools import pairwise

import numpy as np

_SEAL = 4
"""Bytes that tell of which pictures it is a selection, and whether all of it is there."""
_STEPS, _BITS = b"s", b"b"


def written(rows: Sequence[int], keys: Sequence[str]) -> str:
    """These rows of the pictures with these keys, as text; "" for none. `read` gives them again, sorted."""
    chosen = sorted(set(rows))
    if not chosen:
        return ""
    steps = b"".join(_step(row - before) for before, row in zip([-1, *chosen], chosen, strict=False))
    bits = np.zeros(len(keys), dtype=bool)
    bits[chosen] = True
    told = min(_STEPS + steps, _BITS + np.packbits(bits).tobytes(), key=len)
    return urlsafe_b64encode(_seal(told, keys) + told).decode().rstrip("=")


def read(text: str, keys: Sequence[str]) -> tuple[int, ...] | None:
    """The rows that a text selects of the pictures with these keys; None where it is of other pictures, or
    of some that are not there, or not all of it is there."""
    try:
        told = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except (ValueError, binascii.Error):
        return None
    seal, selected = told[:_SEAL], told[_SEAL:]
    if not selected or seal != _seal(selected, keys):
        return None
    if selected.startswith(_BITS):
        rows = tuple(np.flatnonzero(np.unpackbits(np.frombuffer(selected[1:], np.uint8))).tolist())
    else:
        rows = tuple(_rows(selected[1:]))
    return rows if all(one < other for one, other in pairwise((-1, *rows, len(keys)))) else None


def _seal(selected: bytes, keys: Sequence[str]) -> bytes:
    of = blake2b(selected, digest_size=_SEAL)
    of.update("\n".join(keys).encode("utf-8", "surrogatepass"))
    return of.digest()


def _step(step: int) -> bytes:
    """A number from 1 on, seven bits a byte, the lowest first; all but the last byte have their highest bit set."""
    written = bytearray()
    while step > 0x7F:
        written.append(0x80 | step & 0x7F)
        step >>= 7
    return bytes([*written, step])


def _rows(steps: bytes) -> Iterator[int]:
    row, step, shift = -1, 0, 0
    for byte in steps:
        step |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            row, step, shift = row + step, 0, 0
            yield row
