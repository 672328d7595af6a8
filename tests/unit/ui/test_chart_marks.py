"""Charts that answer to what was chosen, and to little data."""

from datetime import UTC, datetime, timedelta

from console_core.ui import charts

START = datetime(2025, 11, 21, tzinfo=UTC)
GROUPS = {"anna": {"embedded": 42, "missing": 8}, "ben": {"embedded": 5, "failed": 5}}


def test_beside_the_marked_group_the_others_step_back() -> None:
    for bar in charts.coverage_bars(GROUPS, marked="ben").figure.data:
        anna, ben = bar.marker.opacity
        assert anna < ben == 1


def test_a_marked_group_that_is_not_drawn_fades_nothing() -> None:
    for bar in charts.coverage_bars(GROUPS, marked="chiara").figure.data:
        assert set(bar.marker.opacity) == {1}


def test_bars_of_one_status_keep_their_legend_so_that_charts_side_by_side_stay_in_line() -> None:
    assert charts.coverage_bars({"anna": {"failed": 1}}).figure.layout.showlegend is True


def test_a_single_measurement_stands_in_the_middle_of_an_hour() -> None:
    start, end = charts.coverage_over_time({"a": [(START, 0.5)]}).figure.layout.xaxis.range
    assert (start, end) == (START - timedelta(minutes=30), START + timedelta(minutes=30))


def test_measurements_of_many_days_span_them() -> None:
    series = [(START + timedelta(days=day), day / 4) for day in range(4)]
    assert charts.coverage_over_time({"a": series}).figure.layout.xaxis.range is None
