"""A picture to ask with: chosen, dropped or pasted, and kept on the server for a while under a short name."""

import streamlit as st
from PIL import Image

from console_core.catalog.decoding import FORMATS
from console_core.errors import ImageError
from console_core.querylab.asked_pictures import DAYS, MOST, AskedPictures
from console_core.ui import session
from console_core.ui.query_lab import fields

MOST_MEGABYTES = 20
_TYPES = ["jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff", "avif"]
_GIVEN, _FILE, _PASTED = "_lab-given", "lab-file", "lab-paste"
KEPT = (
    f"It is kept on this server for {DAYS} days after it was last asked with, among the {MOST} newest, so that this "
    "address finds it."
)


def kept(digest: str) -> Image.Image | None:
    """The picture that an address names; None where it is not kept any more."""
    return _pictures().of(digest)


def picture_button() -> None:
    """Opens the field that takes a picture."""
    with st.popover("Picture", icon=":material/add_photo_alternate:", key="lab-give", on_change="rerun") as box:
        if not box.open:
            return
        st.file_uploader(
            "A picture to search with",
            _TYPES,
            key=_key(),
            max_upload_size=MOST_MEGABYTES,
            on_change=_take_file,
        )
        st.chat_input(
            "Or paste one here, then press Enter",
            key=_PASTED,
            accept_file=True,
            file_type=_TYPES,
            max_upload_size=MOST_MEGABYTES,
            on_submit=_take_pasted,
        )
        st.caption(f"{', '.join(FORMATS)}. {KEPT} Words in the search field are asked together with it.")


def _take_file() -> None:
    file = st.session_state.get(_key())
    if file is not None:
        _take(file.getvalue(), file.name)


def _take_pasted() -> None:
    given = st.session_state.get(_PASTED)
    if given is None:
        return
    if given.text.strip():
        st.session_state[fields.QUERY] = given.text.strip()
    if given.files:
        _take(given.files[0].getvalue(), given.files[0].name)
    else:
        fields.write()


def _take(data: bytes, name: str) -> None:
    try:
        digest = _pictures().keep(data, name)
    except ImageError as error:
        session.flash(error.message, "Give a picture that opens elsewhere, as JPEG, PNG, WebP or GIF.", kind="error")
        return
    except OSError as error:
        session.flash(
            f"The picture cannot be kept: {error.strerror or error}.",
            "Make room in the workspace's folder, and give it again.",
            kind="error",
        )
        return
    st.session_state[_GIVEN] = st.session_state.get(_GIVEN, 0) + 1  # another key: the field is empty again
    st.session_state["lab-give"] = False
    fields.ask_with(digest)


def _key() -> str:
    return f"{_FILE}-{st.session_state.get(_GIVEN, 0)}"


def _pictures() -> AskedPictures:
    return AskedPictures(session.console().settings.cache / "asked")
