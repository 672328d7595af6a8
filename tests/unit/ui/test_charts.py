"""Charts: what they show, and that they follow the theme."""

import json
import re
from datetime import UTC, datetime, timedelta

from console_core.ui import charts

START = datetime(2025, 11, 21, tzinfo=UTC)
GROUPS = {"anna": {"embedded": 42, "missing": 8}, "ben": {"embedded": 5, "failed": 5}}


def test_coverage_bars_stack_the_statuses_of_each_group_and_leave_out_what_nobody_has() -> None:
    figure = charts.coverage_bars(GROUPS).figure
    bars = {bar.name: list(bar.x) for bar in figure.data}
    assert bars == {"Embedded": [42, 5], "Failed": [0, 5], "Missing": [8, 0]}
    assert figure.layout.barmode == "stack"


def test_a_click_on_a_bar_tells_the_group_and_the_status() -> None:
    failed = next(bar for bar in charts.coverage_bars(GROUPS).figure.data if bar.name == "Failed")
    assert failed.y[1] == "ben"
    assert failed.customdata[1] == ["failed", 5]


def test_shares_make_all_bars_equally_long() -> None:
    figure = charts.coverage_bars({**GROUPS, "nobody": {}}, share=True).figure
    totals = [sum(bar.x[place] for bar in figure.data) for place in range(3)]
    assert totals == [1, 1, 0]


def test_groups_that_look_like_numbers_stay_names() -> None:
    assert charts.coverage_bars({"2024": {"embedded": 1}}).figure.layout.yaxis.type == "category"


def test_every_colour_is_one_of_the_themes_ten() -> None:
    series = [(START + timedelta(days=day), day / 4) for day in range(4)]
    drawn = [charts.coverage_bars(GROUPS), charts.coverage_over_time({"a": series})]
    for chart in drawn:
        plain = json.loads(chart.figure.to_json())
        colours = set(re.findall(r"#[0-9a-fA-F]{6}", json.dumps(plain["data"])))
        assert colours <= {f"#0000{number:02}" for number in range(1, 11)}


def test_the_alternative_text_says_what_the_chart_shows() -> None:
    series = [(START, 0.25), (START + timedelta(days=1), 0.5)]
    assert charts.coverage_bars(GROUPS, title="Coverage by user").alt == (
        "Coverage by user of 2 groups: 47 embedded, 5 failed, 8 missing."
    )
    assert charts.coverage_over_time({"demo-clip": series}).alt == "Coverage over time; now: demo-clip 50.0%."
    assert charts.throughput([(START, 10.0), (START, 842.0)]).alt == "Throughput over time; now: 842 pictures/s."
    assert charts.throughput([]).alt == "Throughput over time; now: not measured yet."


def test_a_moment_of_coverage_is_told_in_the_same_per_cent_as_everywhere() -> None:
    line = charts.coverage_over_time({"demo-clip": [(START, 0.9999), (START, 1.0)]}).figure.data[0]
    assert list(line.customdata) == ["99.9%", "100%"]
    assert "%{customdata}" in line.hovertemplate


def test_the_throughput_of_two_attempts_is_two_lines() -> None:
    later = [START + timedelta(seconds=second) for second in range(5)]
    drawn = charts.throughput(list(zip(later, [80.0, 90.0, float("nan"), 85.0, 95.0], strict=True)))
    assert [list(line.y) for line in drawn.figure.data] == [[80.0, 90.0], [85.0, 95.0]]
