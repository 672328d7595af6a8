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


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


_INSTALLED = {name: _version(package) for name, package in PROGRAMS.items()}
"""Looked up once: a thread that looks while another one changes `sys.path` finds nothing."""


def versions() -> dict[str, str]:
    """The version of each; "" of what is not installed."""
    return dict(_INSTALLED)
