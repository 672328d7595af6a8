"""How runs and moments are spoken of."""

import pytest

from console_core.runs.wording import decoded, short_interval


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        ((0.0001, 0.0009), "less than 1 ms"),
        ((0.0004, 0.02), "about 0.4–20 ms"),
        ((0.001, 0.05), "about 1–50 ms"),
        ((0.003, 0.0031), "about 3 ms"),
        ((0.2, 2.0), "about 0.2–2 s"),
        ((3.0, 30.0), "about 3–30 s"),
    ],
)
def test_a_moment_is_told_from_and_to_in_a_unit_that_people_read(seconds: tuple[float, float], said: str) -> None:
    assert short_interval(*seconds) == said


@pytest.mark.parametrize(
    ("decoders", "said"),
    [
        ({"Pillow": 20, "libjpeg-turbo": 1180}, "1,180 by libjpeg-turbo, 20 by Pillow"),
        ({"Pillow": 1, "libjpeg-turbo": 0}, "1 by Pillow"),
        ({}, ""),
    ],
)
def test_who_decoded_is_told_with_the_most_first(decoders: dict[str, int], said: str) -> None:
    assert decoded(decoders) == said
