"""Pictures that people asked with, kept for a while, so that a short address can name one of them."""

import os
import re
import threading
import time
from contextlib import suppress
from hashlib import blake2b
from io import BytesIO
from pathlib import Path

from PIL import Image

from console_core.catalog.decoding import decode

EDGE = 1024
"""The most pixels of a kept picture's longer side; models look at a few hundred."""
MAX_PIXELS = 50_000_000
"""The most pixels of a picture that is given. Pictures of a catalog may have more: nobody waits for those."""
DAYS = 30
"""For so long a picture is kept after it was last asked with."""
MOST = 300
"""The most pictures that are kept; those that were not asked with for longest go first."""
MOST_BYTES = 100_000_000
"""The most bytes that all of them take."""
_NAME = re.compile(r"[0-9a-f]{20}")
_DAY = 86_400.0


class AskedPictures:
    """A folder of JPEG files, each named after what is in it, so that the same picture is kept once under one name.

    What is asked with is the kept picture, from the first time on, so that an address finds the same another day. A
    name tells nothing of a picture and cannot be guessed. Safe to use from several threads and processes.
    """

    def __init__(self, folder: Path, *, most: int = MOST, most_bytes: int = MOST_BYTES) -> None:
        self._folder, self._most, self._most_bytes = folder, most, most_bytes

    def keep(self, data: bytes, name: str) -> str:
        """Keep the picture of these bytes, upright and at most 1,024 pixels long, and return its digest. `name` is
        what it is called in errors. The longest unused pictures are deleted where there are too many.

        Raises:
            ImageError: these bytes are no picture that can be decoded.
            OSError: the folder cannot be written.
        """
        picture = decode(data, name, max_pixels=MAX_PIXELS)
        picture.thumbnail((EDGE, EDGE), Image.Resampling.LANCZOS)
        stream = BytesIO()
        picture.save(stream, "JPEG", quality=95, subsampling=0)
        kept = stream.getvalue()
        digest = blake2b(kept, digest_size=10).hexdigest()
        self._folder.mkdir(parents=True, exist_ok=True)
        beside = self._folder / f"new-{os.getpid()}-{threading.get_ident()}"
        beside.write_bytes(kept)
        beside.replace(self._file(digest))
        self._prune()
        return digest

    def of(self, digest: str) -> Image.Image | None:
        """The picture of a digest, in mode RGB; None where it is not kept, or not any more."""
        if not _NAME.fullmatch(digest):
            return None
        file = self._file(digest)
        try:
            if file.stat().st_mtime < time.time() - DAYS * _DAY:
                return None
            with Image.open(file) as opened:
                picture = opened.convert("RGB")
        except (OSError, ValueError, SyntaxError):
            return None
        with suppress(OSError):
            os.utime(file)
        return picture

    def _file(self, digest: str) -> Path:
        return self._folder / f"{digest}.jpg"

    def _prune(self) -> None:
        """Delete what is too old, and the longest unused of what is too much."""
        files = []
        for file in self._folder.iterdir():
            with suppress(OSError):
                state = file.stat()
                files.append((state.st_mtime, state.st_size, file))
        oldest, size = time.time() - DAYS * _DAY, 0
        for number, (used, bytes_, file) in enumerate(sorted(files, reverse=True)):
            size += bytes_
            if used < oldest or number >= self._most or size > self._most_bytes:
                with suppress(OSError):
                    file.unlink(missing_ok=True)
