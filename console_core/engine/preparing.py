"""From a picture's header to the pixels that each model sees of it, as the mode wants it decoded and resized."""

from collections.abc import Sequence

from console_core.catalog.encoded import Encoded, Least
from console_core.embedding.preprocessing import Mode, Preprocessing
from console_core.embedding.types import Pixels


def prepared(header: Encoded, sizes: Sequence[Preprocessing], mode: Mode) -> list[Pixels]:
    """Decode once, and resize once for all models that want the same pixels.

    Raises:
        ImageError: as `Encoded.image`.
    """
    different = {one.pixels_key: one for one in sizes}
    if mode is Mode.EXACT:
        image = header.image()
        made = {key: one.exact(image) for key, one in different.items()}
    else:
        picture = header.picture(_least(sizes) if mode is Mode.TURBO else None)
        made = {key: one.either(picture) for key, one in different.items()}
    return [made[one.pixels_key] for one in sizes]


def _least(sizes: Sequence[Preprocessing]) -> Least:
    """The smallest size that is enough for all models."""

    def least(width: int, height: int) -> tuple[int, int]:
        wanted = [one.least(width, height) for one in sizes]
        return max(one[0] for one in wanted), max(one[1] for one in wanted)

    return least
