"""What a person does in a migration, one move a function: only clicks, typing and what the page says."""

import re

from playwright.sync_api import Locator, expect

from tests.e2e.browsing import Tab

CLIP, SIGLIP = "images__demo-clip", "images__demo-siglip"
BUILD = "images → demo-siglip"
_SETTLED = re.compile(r"([\d,]+) of [\d,]+ pictures")


def choose_everything_for_siglip(tab: Tab, *, served: str = "images", batch: int = 1) -> None:
    """From the list of migrations through the wizard up to its preflight. A small batch makes a build that lasts."""
    tab.menu("Migrations")
    tab.click("New migration")
    tab.click("Choose", within=f"served-{served}")
    choose_siglip(tab, batch=batch)


def choose_siglip(tab: Tab, *, batch: int) -> None:
    """The wizard from its second step up to the preflight."""
    tab.click("Choose", within="model-demo-siglip")
    tab.says("Start building")
    tab.page.get_by_text("Batch size and name of the new collection").click()
    field = tab.page.get_by_label("Batch size, in pictures", exact=True)
    field.fill(str(batch))
    field.press("Enter")
    tab.page.wait_for_url(f"**batch={batch}**")
    tab.wait()
    expect(tab.named("Start building")).to_be_enabled()


def start(tab: Tab) -> str:
    """Start the build; the address of the migration's page."""
    tab.click("Start building")
    tab.page.wait_for_url("**migration=**")
    tab.says("Building images__demo-siglip")
    return tab.page.url


def is_in_state(tab: Tab, state: str) -> None:
    """Wait until the page, without being touched, shows a run in this state."""
    badge = tab.main.locator(".stMarkdownBadge", has_text=re.compile(rf"\b{state}$"))
    expect(badge.first).to_be_visible()


def settled(tab: Tab) -> int:
    """How many pictures of the first run on the page have been settled, as its sentence says."""
    said = tab.says(_SETTLED).inner_text()
    found = _SETTLED.search(said)
    assert found is not None
    return int(found[1].replace(",", ""))


def settles_more_than(tab: Tab, number: int) -> int:
    """Wait until the page, without being touched, shows a larger number; that number."""
    tab.page.wait_for_function(
        """least => {
            const said = document.querySelector('[data-testid="stMain"]').innerText
            const found = said.match(/([\\d,]+) of [\\d,]+ pictures/)
            return found !== null && Number(found[1].replaceAll(',', '')) > least
        }""",
        arg=number,
    )
    return settled(tab)


def confirm(tab: Tab, button: str, act: str) -> None:
    """Press a button that asks, and say yes."""
    tab.click(button)
    dialog = tab.page.get_by_role("dialog")
    dialog.get_by_role("button", name=act).click()
    dialog.wait_for(state="hidden")
    tab.wait()


def click_bar(tab: Tab, chart: str, place: int) -> None:
    """Click a bar of a chart, counted from 0, in its middle."""
    bar = tab.page.locator(f".st-key-{chart} .barlayer .point path").nth(place)
    bar.scroll_into_view_if_needed()
    box = bar.bounding_box()
    assert box is not None
    tab.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    tab.wait()


def search(tab: Tab, text: str) -> None:
    """Type a query and press Enter."""
    field = tab.page.get_by_placeholder("Describe a picture")
    field.fill(text)
    field.press("Enter")
    tab.page.wait_for_url(re.compile(r"q="))
    tab.wait()


def columns(tab: Tab) -> list[Locator]:
    """The columns of answers, once each shows its pictures."""
    found = tab.main.locator(".st-key-lab-gallery section.column")
    expect(found.last.locator("img").first).to_be_visible()
    return found.all()


def answers(column: Locator) -> list[tuple[str, str]]:
    """Keys and percentiles of a column, from the first rank on."""
    tiles = column.locator("button[data-id]")
    return [(str(tile.get_attribute("data-id")), tile.locator(".percentile").inner_text()) for tile in tiles.all()]


def shows_pictures(column: Locator) -> None:
    """Every tile has loaded its thumbnail."""
    for picture in column.locator("img").all():
        picture.scroll_into_view_if_needed()
        expect(picture).to_have_js_property("complete", value=True)
        assert picture.evaluate("image => image.naturalWidth") > 0
