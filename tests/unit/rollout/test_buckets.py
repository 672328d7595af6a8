"""Everybody's key has a bucket: always the same one, another one for another alias, and all buckets are as full."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from console_core.rollout.buckets import BUCKETS, bucket, concerns

KEYS = [f"user-{number}" for number in range(10_000)]
SHARES = st.integers(0, BUCKETS)


def test_a_bucket_is_the_documented_hash_whatever_machine_or_version_asks() -> None:
    assert [bucket("assets", key) for key in ("user-17", "user-18", "Zoë", "")] == [4787, 4436, 441, 4313]


@settings(max_examples=25)
@given(st.text(), st.text())
def test_a_key_is_always_in_the_same_bucket_of_an_alias(alias: str, key: str) -> None:
    number = bucket(alias, key)
    assert 0 <= number < BUCKETS
    assert bucket(alias, key) == number


@settings(max_examples=25)
@given(st.text(), SHARES, SHARES)
def test_raising_a_share_only_adds_people(key: str, one: int, other: int) -> None:
    number, (lower, higher) = bucket("assets", key), sorted((one, other))
    assert concerns(number, higher) or not concerns(number, lower)


def test_no_share_concerns_nobody_and_a_whole_one_everybody_and_bucket_23_is_not_among_the_first_ten_percent() -> None:
    assert not any(concerns(number, 0) for number in range(BUCKETS))
    assert all(concerns(number, BUCKETS) for number in range(BUCKETS))
    assert [concerns(number, 1000) for number in (0, 999, 1000, 2300)] == [True, True, False, False]


def test_a_share_concerns_as_many_people_as_it_says() -> None:
    buckets = [bucket("assets", key) for key in KEYS]
    for percent in (1, 10, 50, 90):
        found = 100 * sum(concerns(number, percent * 100) for number in buckets) / len(KEYS)
        four_deviations = 4 * (percent * (100 - percent) / len(KEYS)) ** 0.5
        assert abs(found - percent) < four_deviations, percent
    tenths = Counter(number // 1000 for number in buckets)
    assert len(tenths) == 10
    squares = sum((count - len(KEYS) / 10) ** 2 for count in tenths.values()) / (len(KEYS) / 10)
    assert squares < 27.9, "a chi-square with nine degrees of freedom, which exceeds this once in a thousand times"


def test_who_is_first_of_one_alias_is_not_first_of_another() -> None:
    first = {key for key in KEYS if concerns(bucket("assets", key), 1000)}
    of_another = sum(concerns(bucket("photos", key), 1000) for key in first) / len(first)
    assert 0.07 < of_another < 0.13
