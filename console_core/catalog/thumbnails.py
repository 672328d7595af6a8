"""Small pictures for the screen, made once and kept on the disk."""

import contextlib
import io
import os
import tempfile
import threading
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from PIL import Image

from console_core.catalog.loading import load
from console_core.catalog.local_files import READERS
from console_core.catalog.types import ImageRow, ImageStore

SIZE = 160
SIZES = range(16, 2049)
QUALITY = 80
DECODERS = 2
FETCHING = 16
"""Pictures that are fetched at once from a server, which takes its time to answer."""
_KEPT_AFTER_PRUNING = 0.8


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A WEBP file, and a tag that changes when the picture may have changed."""

    data: bytes
    etag: str


class Thumbnails:
    """Thumbnails of catalog rows, cached in a folder that may be deleted at any time.

    Safe to use from several threads, and from several processes on one folder. At most `decoders` pictures are decoded
    at once, and the folder takes at most about `max_bytes`: the longest unused go first. Where the folder cannot be
    written, every thumbnail is made anew.
    """

    def __init__(
        self,
        cache: Path,
        images: ImageStore,
        *,
        size: int = SIZE,
        max_bytes: int = 256 * 1024 * 1024,
        decoders: int = DECODERS,
    ) -> None:
        self._cache = Path(cache)
        self._images = images
        self._size = size
        self._max_bytes = max_bytes
        fetching = decoders if images.readers <= READERS else min(images.readers, FETCHING)
        self._making = threading.BoundedSemaphore(max(decoders, fetching))
        self._decoding = threading.BoundedSemaphore(decoders)
        self._pruning = threading.Lock()
        self._bytes: int | None = None

    def etag(self, row: ImageRow, size: int | None = None) -> str:
        """The tag of a row's thumbnail, known without reading anything: 32 hexadecimal characters."""
        said = "\0".join((row.key, row.revision, str(self._edge(size))))
        return blake2b(said.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()

    def get(self, row: ImageRow, size: int | None = None) -> Thumbnail:
        """The picture of a row, at most `size` pixels wide and high (kept within 16 to 2048) and never enlarged.

        Raises:
            ImageError: the row has no usable picture.
        """
        etag = self.etag(row, size)
        file = self._cache / etag[:2] / f"{etag}.webp"
        data = _cached(file)
        if data is None:
            with self._making:
                data = _cached(file)  # another thread may have made it while this one waited
                if data is None:
                    data = self._make(row, self._edge(size))
                    self._keep(file, data)
        return Thumbnail(data, etag)

    def _edge(self, size: int | None) -> int:
        return min(max(self._size if size is None else size, SIZES.start), SIZES.stop - 1)

    def _make(self, row: ImageRow, edge: int) -> bytes:
        image = load(row, self._images, self._decoding).image
        image.thumbnail((edge, edge), Image.Resampling.LANCZOS)
        target = io.BytesIO()
        image.save(target, "WEBP", quality=QUALITY, method=4)
        return target.getvalue()

    def _keep(self, file: Path, data: bytes) -> None:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            descriptor, written = tempfile.mkstemp(dir=file.parent, prefix="new-")
            try:
                with os.fdopen(descriptor, "wb") as stream:
                    stream.write(data)
                Path(written).replace(file)
            except BaseException:
                Path(written).unlink(missing_ok=True)
                raise
        except OSError:  # a cache that cannot be written only makes things slower
            return
        self._count(len(data))

    def _count(self, added: int) -> None:
        with self._pruning:
            self._bytes = None if self._bytes is None else self._bytes + added
            if self._bytes is None or self._bytes > self._max_bytes:
                self._bytes = self._prune()

    def _prune(self) -> int:
        """Delete the longest unused files where they are too many; returns the bytes that are left."""
        files: list[tuple[float, int, Path]] = []
        for file in self._cache.glob("??/*"):
            with contextlib.suppress(OSError):
                state = file.stat()
                files.append((state.st_mtime, state.st_size, file))
        left = sum(size for _, size, _ in files)
        if left <= self._max_bytes:
            return left
        for _, size, file in sorted(files):
            if left <= self._max_bytes * _KEPT_AFTER_PRUNING:
                break
            with contextlib.suppress(OSError):
                file.unlink(missing_ok=True)
                left -= size
        return left


def _cached(file: Path) -> bytes | None:
    """The kept file, marked as used; None where it is absent, unreadable or incomplete."""
    try:
        data = file.read_bytes()
        if data[:4] != b"RIFF" or int.from_bytes(data[4:8], "little") + 8 != len(data):
            return None
        with contextlib.suppress(OSError):
            os.utime(file)
    except OSError:
        return None
    return data
