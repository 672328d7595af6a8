"""The map of the query lab: two maps of the same pictures, what is selected in them, groups, and what is missing."""

import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from streamlit.testing.v1 import AppTest

from console_core.console import Console
from console_core.querylab import samples
from console_core.querylab.projection import has_umap
from console_core.ui import charts
from console_core.ui.query_lab.map_choice import _row
from console_core.vectorstore.provenance import Provenance, point_id
from console_core.vectorstore.types import CollectionSpec, ModelStamp, Point
from tests.pages.conftest import console_of_module

OpenPage = Callable[..., AppTest]
Said = Callable[[AppTest], str]
ONE, TWO, FEW = "by-one", "by-two", "by-few"
PICTURES = 48


@pytest.fixture(name="mapped", scope="module")
def _mapped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """The same 48 pictures by two models, and 5 of them by a third. The alias `images` serves the first."""
    with console_of_module(tmp_path_factory.mktemp("map"), actor="olga") as console:
        rows = list(console.catalog.rows())
        for seed, (name, number) in enumerate(((ONE, PICTURES), (TWO, PICTURES), (FEW, 5))):
            vectors = np.random.default_rng(seed).normal(size=(number, 8)).astype(np.float32)
            console.store.create(name, CollectionSpec(8, stamp=ModelStamp(f"model-{seed}", f"{seed}" * 12)))
            points = [
                Point(
                    point_id(row.key),
                    vector,
                    {**row.payload, **Provenance(row.key, "", "", f"{seed}" * 12, "", "").as_payload()},
                )
                for row, vector in zip(rows, vectors, strict=False)
            ]
            console.store.upsert(name, points)
        console.store.set_alias("images", ONE, expected=None)
        yield console


def figures(page: AppTest) -> list[dict[str, Any]]:
    """Both maps, as the browser is given them."""
    return [json.loads(one.proto.spec) for one in page.get("plotly_chart")]


def marks(page: AppTest) -> list[set[int]]:
    """The rows that each map marks."""
    return [
        {trace["customdata"][at] for trace in figure["data"] for at in trace.get("selectedpoints", ())}
        for figure in figures(page)
    ]


def tiles(page: AppTest) -> list[list[str]]:
    """The keys of each gallery."""
    given = [json.loads(one.proto.json) for one in page.get("bidi_component")]
    return [[tile["id"] for column in one["columns"] for tile in column["tiles"]] for one in given]


@pytest.mark.usefixtures("mapped")
def test_from_the_query_lab_two_maps_of_the_same_pictures_say_what_they_are_and_are_not(
    open_page: OpenPage, said: Said
) -> None:
    page = open_page("query_lab", columns=TWO)
    page.button(key=f"link-query_lab-map-['{TWO}']").click().run()
    assert (page.query_params["view"], page.query_params["columns"]) == ("map", TWO)
    assert "A map needs two collections" in said(page)

    page = open_page("query_lab", view="map")

    assert not page.exception
    assert page.multiselect(key="map-columns").value == [ONE, TWO]
    assert "PCA, seed 1 · shows" in said(page)
    assert "of the variance of model" in said(page)
    assert f"all of the {PICTURES} pictures of the fixed sample are in both" in said(page)
    assert "Distances across the maps are not comparable" in said(page)
    assert [one.proto.alt for one in page.get("plotly_chart")] == [
        f"Map of {PICTURES} pictures as model-{n} orders them, coloured by how much each neighbourhood changed; "
        "none is marked."
        for n in (0, 1)
    ]
    assert figures(page) == figures(open_page("query_lab", view="map")), "the same at a reload"


@pytest.mark.usefixtures("mapped")
def test_who_comes_from_a_question_to_the_map_finds_the_way_back_to_it(open_page: OpenPage) -> None:
    asked = {"q": "red car", "columns": [f"{ONE}~exact", f"{TWO}~0.1", f"{ONE}~unquantized"], "limit": "24"}
    page = open_page("query_lab", **asked)
    (way,) = [button for button in page.button if (button.key or "").startswith("link-query_lab-map")]
    way.click().run()
    assert (page.query_params["view"], page.query_params["columns"]) == ("map", [ONE, TWO])
    there = open_page("query_lab", **{name: page.query_params[name] for name in page.query_params})
    assert not there.error
    assert not there.warning
    (back,) = [button for button in there.button if (button.key or "").startswith("link-query_lab")]
    back.click().run()
    assert {name: there.query_params[name] for name in there.query_params} == asked


def test_a_group_is_marked_in_both_maps_and_its_pictures_are_shown_until_the_selection_is_cleared(
    open_page: OpenPage, said: Said
) -> None:
    page = open_page("query_lab", view="map", colour="user_id", groups="user_id")
    assert [[trace["name"] for trace in figure["data"]] for figure in figures(page)] == [
        ["user-0", "user-1", "user-2"]
    ] * 2
    assert len(re.findall(r"user.*16 pictures · mean change \d+%", said(page))) == 3
    assert marks(page) == [set(), set()]

    page.button(key="map-show-0").click().run()

    first, second = marks(page)
    assert first == second
    assert len(first) == 16
    assert "**16 pictures selected**" in said(page)
    selected, sheet, *_ = tiles(page)
    assert len(selected) == 16
    assert set(sheet) <= set(selected)
    page.selectbox(key="map-colour").select("").run()
    assert marks(page) == [first, first], "drawn in another way, the same are marked"
    told = {name: page.query_params[name] for name in page.query_params}
    fresh = open_page("query_lab", **told)
    assert marks(fresh) == [first, first], "in a fresh browser too"
    assert len(told["selected"]) < 40
    page.button(key="map-clear").click().run()
    assert marks(page) == [set(), set()]
    assert "Draw a lasso" in said(page)
    page.query_params["selected"] = told["selected"]
    page.run()
    assert marks(page) == [first, first], "by the browser's back button"


@pytest.mark.usefixtures("mapped")
def test_a_map_says_what_of_its_address_is_not_there_and_is_drawn_without(open_page: OpenPage, said: Said) -> None:
    told = {"method": "t-SNE", "colour": "mood", "groups": "size", "selected": "c2VsZWN0ZWQ", "q": "a fox"}
    page = open_page("query_lab", view="map", columns=[ONE, TWO, FEW], **told)
    assert not page.exception
    left_out = "\n".join(one.value for one in page.warning).replace("\\", "")
    for part in (
        "method t-SNE",
        "colour mood",
        "groups size",
        "among other pictures",
        "nothing of q",
        f"Left out: {FEW}",
    ):
        assert part in left_out, part
    assert figures(page) == figures(open_page("query_lab", view="map"))
    assert "Draw a lasso" in said(page)


@pytest.mark.usefixtures("mapped")
def test_what_stands_in_the_way_of_a_map_is_told_with_what_to_do(open_page: OpenPage, said: Said) -> None:
    def shown(*columns: str, **others: str) -> AppTest:
        page = open_page("query_lab", view="map", columns=list(columns), **others)
        assert not page.exception
        return page

    assert "Both collections have 5 pictures of the sample." in said(shown(ONE, FEW))
    assert "Both columns are the same collection" in said(shown("images", ONE))
    missing = shown("gone", ONE)
    assert "gone" in missing.error[0].proto.title
    assert missing.multiselect(key="map-columns").value == ["gone", ONE]


@pytest.mark.usefixtures("mapped")
@pytest.mark.skipif(has_umap(), reason="UMAP is installed here")
def test_without_umap_there_is_no_choice_of_it_and_it_is_said_how_to_have_it(open_page: OpenPage, said: Said) -> None:
    page = open_page("query_lab", view="map")
    assert "segmented_control" not in {element.type for element in page.main}
    assert 'pip install "embedding' in said(page).replace("\\", "")
    asked = open_page("query_lab", view="map", method="UMAP")
    assert "UMAP is not installed" in said(asked)
    asked.segmented_control(key="map-method").select("PCA").run()
    assert len(figures(asked)) == 2


def test_a_collection_without_a_sample_has_it_drawn_by_a_click(
    mapped: Console, open_page: OpenPage, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(samples, "AT_ONCE", 5)
    mapped.samples.forget(TWO)
    page = open_page("query_lab", view="map", columns=[TWO, ONE])
    assert "No sample was drawn yet" in said(page)
    page.button(key="map-draw").click().run()
    until = time.monotonic() + 20
    while mapped.samples.of(mapped.store.describe(TWO)) is None:
        assert time.monotonic() < until
        time.sleep(0.01)
    page.run()
    assert len(figures(page)) == 2


def picture_map(marked: Sequence[int] | None = None, marking: int = 0) -> charts.Chart:
    random = np.random.default_rng(1)
    groups = {f"group {n}": range(n, 2000, 5) for n in range(5)}
    flat, change, names = random.normal(size=(2000, 2)), random.random(2000), [f"a picture of {n}" for n in range(2000)]
    return charts.picture_map(flat, groups, change, names=names, marked=marked, marking=marking, alt="A map.")


def test_a_point_says_its_row_whatever_its_group_and_a_new_marking_undoes_what_was_chosen_in_the_browser() -> None:
    figure: go.Figure = picture_map([7, 1003]).figure
    told = [trace.customdata[at] for trace in figure.data for at in trace.selectedpoints]
    assert sorted(map(_row, told)) == [7, 1003]
    assert _row([7]) == 7, "as the browser gives it"
    assert picture_map([7]).figure != picture_map([7], marking=1).figure
    assert all(trace.selectedpoints is None for trace in picture_map().figure.data)


@pytest.mark.alone
def test_both_maps_of_2000_pictures_are_drawn_within_300_ms() -> None:
    picture_map().figure.to_json()
    started = time.perf_counter()
    for _ in range(2):
        picture_map(range(0, 2000, 3)).figure.to_json()
    assert time.perf_counter() - started < 0.3
