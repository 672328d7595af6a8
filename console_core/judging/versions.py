"""Which programs the numbers of a verdict rest on."""

from importlib.metadata import PackageNotFoundError, version

PROGRAMS = {
    "embedding-console": "embedding-console",
    "torch": "torch",
    "open_clip": "open_clip_torch",
    "ir_measures": "ir_measures",
    "scipy": "scipy",
    "evalica": "evalica",
}
"""What the numbers of a verdict, and the vectors before it, rest on: names, and those of their packages."""


def versions() -> dict[str, str]:
    """The version of each; "" of what is not installed."""
    found = {}
    for name, package in PROGRAMS.items():
        try:
            found[name] = version(package)
        except PackageNotFoundError:
            found[name] = ""
    return found
