"""Every page of the console, once: its file, title, icon and section; and how one page leads to another."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import streamlit as st

FOLDER = Path(__file__).resolve().parents[2] / "pages"
_HERE = "_here"


@dataclass(frozen=True, slots=True)
class PageEntry:
    """A page. `name` is its file without ending and its address; `help` is shown beside its title in the menu."""

    name: str
    title: str
    icon: str
    section: str
    help: str = ""

    @property
    def file(self) -> Path:
        return FOLDER / f"{self.name}.py"


PAGES = (
    PageEntry("overview", "Overview", ":material/dashboard:", ""),
    PageEntry("collections", "Collections", ":material/database:", "Collections", "What the vector store holds."),
    PageEntry("models", "Models", ":material/neurology:", "Collections", "What can embed pictures and text."),
    PageEntry("migrations", "Migrations", ":material/sync_alt:", "Migrate", "From one model to another, step by step."),
    PageEntry("runs", "Runs", ":material/play_circle:", "Migrate", "What is being done, live."),
    PageEntry("coverage", "Coverage", ":material/grid_on:", "Migrate", "Which pictures have no point yet."),
    PageEntry("failures", "Failures", ":material/broken_image:", "Migrate", "Pictures that failed, and trying again."),
    PageEntry("query_lab", "Query lab", ":material/manage_search:", "Judge", "Two models side by side."),
    PageEntry("judging", "Judging", ":material/balance:", "Judge", "Blind judgements, and a verdict."),
    PageEntry("rollout", "Rollout", ":material/alt_route:", "Judge", "Cut over, and the way back."),
    PageEntry("backups", "Backups", ":material/archive:", "System", "Proven copies of collections, and the way back."),
    PageEntry("activity", "Activity", ":material/history:", "System", "Who did what, and when."),
    PageEntry("connections", "Connections", ":material/hub:", "System", "Stores, catalogs, image roots and models."),
    PageEntry("settings", "Settings", ":material/settings:", "System", "You, the device, and what can be set."),
)


def entry(name: str) -> PageEntry:
    """The page of this name; KeyError where there is none."""
    for page in PAGES:
        if page.name == name:
            return page
    raise KeyError(name)


def sections() -> dict[str, list[st.Page]]:
    """The menu: the pages whose files exist, by section. To be called within a script run."""
    menu: dict[str, list[st.Page]] = {}
    for page in PAGES:
        if page.file.exists():
            shown = st.Page(
                page.file,
                title=page.title,
                icon=page.icon,
                url_path=page.name,
                default=page is PAGES[0],
                help=page.help or None,
            )
            menu.setdefault(page.section, []).append(shown)
    return menu


def go(name: str, **parameters: Any) -> NoReturn:
    """Leave for another page, with these query parameters."""
    st.switch_page(entry(name).file, query_params=_texts(parameters))


def arrive(at: st.Page) -> None:
    """Remember which page is drawn. To be called by the shell before it runs the page."""
    st.session_state[_HERE] = at.url_path or PAGES[0].name


def link(name: str, label: str = "", *, icon: str = "", **parameters: Any) -> None:
    """A link to a page, with these query parameters.

    A link of Streamlit's to the page on which it stands shows what was asked for once, but leaves the address as it
    was, so the next click falls back to the former view. There a button writes the address.
    """
    page, told = entry(name), _texts(parameters)
    label, icon = label or page.title, icon or page.icon
    if not page.file.exists():
        st.markdown(label)
    elif st.session_state.get(_HERE) != name:
        st.page_link(page.file, label=label, icon=icon, query_params=told)
    elif st.button(label, icon=icon, type="tertiary", key=f"link-{name}-{'-'.join(map(str, told.values()))}"):
        st.query_params.from_dict(told)
        st.rerun()


def _texts(parameters: dict[str, Any]) -> dict[str, str | list[str]]:
    """A list becomes a repeated parameter."""
    return {
        name: [str(one) for one in value] if isinstance(value, list) else str(value)
        for name, value in parameters.items()
        if value not in (None, "")
    }
