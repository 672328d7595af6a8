"""A selection of pictures in an address."""

from base64 import urlsafe_b64encode
from hashlib import blake2b

import numpy as np
import pytest

from console_core.querylab.row_text import read, written

KEYS = [f"picture {number}" for number in range(2000)]


@pytest.mark.parametrize("share", [0.001, 0.02, 0.3, 1.0])
def test_a_selection_is_read_again_as_it_was_written_and_is_short(share: float) -> None:
    chance = np.random.default_rng(3)
    for size in (1, 7, 130, 2000):
        rows = tuple(np.flatnonzero(chance.random(size) < share).tolist()) or (size - 1,)
        text = written(rows[::-1], KEYS[:size])
        assert read(text, KEYS[:size]) == rows
        assert len(text) <= 342
        assert text.isascii()
        assert not set(text) & set("=+/&?#% ")


def test_a_dozen_pictures_take_fewer_than_thirty_characters_and_none_take_none() -> None:
    assert len(written(range(40, 52), KEYS)) < 30
    assert written((), KEYS) == ""


def test_a_selection_of_other_pictures_and_a_text_that_is_cut_or_is_no_selection_are_none() -> None:
    text = written((3, 1999), KEYS)
    assert read(text, KEYS[:-1]) is None
    assert read(text, [*KEYS[1:], KEYS[0]]) is None
    for wrong in ("", "x", "ä", "!!!!", *(text[:end] for end in range(len(text))), text + "zz"):
        assert read(wrong, KEYS) is None, wrong


@pytest.mark.parametrize("selected", [b"s\x04", b"s\x00", b"s\x01\x00", b"s\xff\xff\xff\x7f", b"b\x10", b"b\x80\x80"])
def test_a_forged_text_selects_no_picture_that_is_not_there(selected: bytes) -> None:
    keys = KEYS[:3]
    seal = blake2b(selected + "\n".join(keys).encode(), digest_size=4).digest()
    assert read(urlsafe_b64encode(seal + selected).decode().rstrip("="), keys) is None
    longer = [*keys, "a fourth"]
    seal = blake2b(b"s\x04" + "\n".join(longer).encode(), digest_size=4).digest()
    assert read(urlsafe_b64encode(seal + b"s\x04").decode().rstrip("="), longer) == (3,)
