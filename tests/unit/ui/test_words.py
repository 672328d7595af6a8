"""How the console says things."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from console_core.coverage.report import Status
from console_core.errors import ImageError
from console_core.migration.breaker import MODEL_ERROR, STORE_REFUSED
from console_core.migration.findings import Severity
from console_core.runs.types import RunState
from console_core.ui import pictures, words

NOW = datetime(2025, 11, 21, 9, 4, tzinfo=UTC)


def test_every_run_state_severity_and_coverage_status_has_its_own_word() -> None:
    assert set(words.RUN_STATES) == set(RunState)
    assert set(words.SEVERITIES) == set(Severity)
    assert set(words.COVERAGE) == set(Status)
    assert len({word.label for word in words.RUN_STATES.values()}) == len(RunState)


def test_every_class_of_picture_failure_has_its_own_word() -> None:
    kinds = {kind.kind for kind in ImageError.__subclasses__()}
    assert set(words.FAILURES) == {*kinds, MODEL_ERROR, STORE_REFUSED}


def test_an_unknown_state_is_shown_as_it_is_and_never_breaks_a_page() -> None:
    assert words.run_state("dreaming").label == "Dreaming"
    assert words.failure("cursed").colour == "gray"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"),
        (0, "0 s"),
        (0.42, "0.4 s"),
        (9.97, "10 s"),
        (42, "42 s"),
        (60, "1 min"),
        (80, "1 min 20 s"),
        (3600, "1 h"),
        (11_100, "3 h 5 min"),
        (187_200, "2 d 4 h"),
    ],
)
def test_durations_have_two_units_at_most(seconds: float | None, text: str) -> None:
    assert words.duration(seconds) == text


@pytest.mark.parametrize(
    ("shortest", "longest", "text"),
    [
        (2, 6, "less than 10 s"),
        (40, 50, "40–50 s"),
        (125, 178, "2–3 min"),
        (50, 130, "about 3 min"),
        (7_000, 7_100, "116–119 min"),
        (7_300, 10_700, "2–3 h"),
        (200_000, 260_000, "2–4 d"),
    ],
)
def test_a_time_to_go_is_an_interval_that_contains_both_ends(shortest: float, longest: float, text: str) -> None:
    assert words.interval(shortest, longest) == text


@pytest.mark.parametrize(
    ("fraction", "text"),
    [(0, "0%"), (1e-9, "0.1%"), (0.5, "50.0%"), (0.99999, "99.9%"), (1, "100%")],
)
def test_only_all_is_100_per_cent_and_only_nothing_is_0(fraction: float, text: str) -> None:
    assert words.percent(fraction) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (None, "unknown"),
        (0, "0 B"),
        (999, "999 B"),
        (1_500, "1.5 kB"),
        (999_950, "1.0 MB"),
        (1.2e9, "1.2 GB"),
        (3e15, "3,000 TB"),
    ],
)
def test_sizes_are_in_decimal_units(size: float | None, text: str) -> None:
    assert words.size(size) == text


def test_rates_name_their_unit() -> None:
    assert words.rate(842.4) == "842 pictures/s"
    assert words.rate(3.25) == "3.2 pictures/s"
    assert words.rate(0.5) == "30.0 pictures/min"
    assert words.rate(None) == "–"
    assert words.rate(12, "points") == "12 points/s"


def test_counts_agree_with_their_noun() -> None:
    assert words.count(1, "picture") == "1 picture"
    assert words.count(1200, "picture") == "1,200 pictures"
    assert words.count(2, "alias", "aliases") == "2 aliases"


def test_times_are_relative_and_absolute_in_the_readers_zone() -> None:
    then = NOW - timedelta(minutes=5, seconds=20)
    assert words.when(then, NOW) == "5 min ago (21 Nov 2025, 08:58 UTC)"
    assert words.moment(NOW, ZoneInfo("Europe/Berlin")) == "21 Nov 2025, 10:04 CET"
    assert words.ago(NOW - timedelta(seconds=2), NOW) == "just now"
    assert words.ago(NOW + timedelta(hours=2), NOW) == "in 2 h"
    assert words.when(None) == "never"


def test_text_from_outside_cannot_act_as_markdown() -> None:
    assert words.plain("**bold** [x](http://a) :red[y] `z` $1$") == (
        "\\*\\*bold\\*\\* \\[x\\]\\(http\\://a\\) \\:red\\[y\\] \\`z\\` \\$1\\$"
    )


def test_a_shift_of_rank_is_told_by_a_sign_and_not_by_colour_alone() -> None:
    kinds = [("up", 3), ("down", 2), ("same", 0), ("new", 0), ("gone", 0)]
    assert [words.shift(kind, places)[0] for kind, places in kinds] == ["▲ 3", "▼ 2", "=", "new", "gone"]
    assert words.shift("up", 1)[1] == "1 place higher than in the first column"


def test_an_ingested_picture_without_a_label_is_called_by_its_files_name_and_shows_no_key_to_it() -> None:
    key = "ingest:shop:https://example.com/a%20b/red%20hat.jpg?sig=s3cret"
    assert pictures.caption(key, {"label": "", "filename": "red hat.jpg"}) == "red hat.jpg"
    assert pictures.caption(key, {"label": "hat"}) == "hat"
    assert pictures.caption("ingest:shop:winter/7.jpg", {}) == "7.jpg"
    assert pictures.caption("7", {}) == "Picture 7"
    payload = {"path": "https://example.com/a.jpg?sig=s3cret", "note": "why? see https://example.com?a=b", "views": 3}
    assert pictures.shown(payload) == {**payload, "path": "https://example.com/a.jpg?…"}


@pytest.mark.parametrize(
    ("value", "sampled", "text"),
    [
        *((99.97, 2000, "99.9"), (99.9, 2000, "99.9"), (50, 2000, "50.0"), (0.04, 2000, "0.0")),
        *((100, 2000, "> 99.95"), (0, 2000, "< 0.05"), (100, 1200, "> 99.91"), (0, 1200, "< 0.09")),
        *((100, 48, "> 97.9"), (0, 48, "< 2.1"), (100, 1, "> 0.0")),
    ],
)
def test_a_percentile_is_cut_off_and_beyond_the_sample_it_says_no_more_than_the_sample_can_tell(
    value: float, sampled: int, text: str
) -> None:
    assert words.percentile(value, sampled) == text


def test_several_are_named_in_one_sentence_with_commas() -> None:
    assert [words.listed(list("abc"[:number])) for number in range(4)] == ["", "a", "a and b", "a, b and c"]
