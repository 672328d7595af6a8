"""What bytes that are no picture look like, in words for the person who has to find out why they are there."""

_BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "a PDF document"),
    (b"%!PS", "a PostScript document"),
    (b"8BPS", "a Photoshop document"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x1aE\xdf\xa3", "a Matroska or WebM video"),
    (b"ID3", "an MP3 sound"),
    (b"OggS", "an Ogg sound"),
    (b"MZ", "a Windows program"),
    (b"\x7fELF", "a program"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"II\xbc\x01", "a JPEG XR picture"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL picture"),
    (b"version https://git-lfs", "a Git LFS pointer; the picture itself was never downloaded"),
)
_MARKUP: tuple[tuple[bytes, str], ...] = (
    (b"<svg", "an SVG drawing"),
    (b"<!doctype html", "an HTML page"),
    (b"<html", "an HTML page"),
    (b"<head", "an HTML page"),
    (b"<error", "an XML error message"),
    (b"<?xml", "an XML document"),
)


def appearance(data: bytes) -> str:
    """What the bytes look like: "an HTML page", "a PDF document", "data that begins with 0a 1b"."""
    for beginning, words in _BEGINNINGS:
        if data.startswith(beginning):
            return words
    if data[4:8] == b"ftyp":
        return "a HEIC picture" if data[8:12] in (b"heic", b"heix", b"mif1", b"heif", b"msf1") else "an MP4 video"
    start = data[:1024].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for marker, words in _MARKUP:
        if marker in start if marker != b"<?xml" else start.startswith(marker):
            return words
    if start[:1] in (b"{", b"["):
        return "a JSON document"
    if not data.strip(b"\0"):
        return "zero bytes only"
    if _is_text(data[:1024]):
        return "text"
    return f"data that begins with {data[:8].hex(' ')}"


def _is_text(start: bytes) -> bool:
    return not any(byte < 32 and byte not in b"\t\n\r\f" for byte in start) and b"\xff" not in start
