"""The record of a restore that was compared with its archive."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from console_core.backup import manifest as manifests
from console_core.backup.durable import write_durably, writing
from console_core.backup.manifest import is_sealed, sealed

FILE = "proof.json"


@dataclass(frozen=True, slots=True)
class Proof:
    """`manifest` is the SHA-256 of the manifest that it proves. `differences` is 0, or the proof failed."""

    manifest: str
    at: datetime
    by: str
    run: str
    points: int
    differences: int
    examples: tuple[str, ...]
    versions: Mapping[str, str]

    @property
    def holds(self) -> bool:
        return not self.differences


def write_proof(folder: Path, proof: Proof) -> None:
    """Replace the archive's proof.

    Raises:
        BackupFull, BackupUnavailable
    """
    with writing(folder):
        write_durably(folder / FILE, sealed(asdict(proof) | {"at": proof.at.isoformat()}))


def proof_of(folder: Path) -> Proof | None:
    """The proof of the manifest as it is now; None where there is none, or it was edited or is of another manifest."""
    try:
        data: dict[str, Any] = json.loads((folder / FILE).read_text(encoding="utf-8"))
        if not is_sealed(data) or data["manifest"] != digest_of(folder):
            return None
        fields = {name: value for name, value in data.items() if name != manifests.SEAL}
        at, examples = datetime.fromisoformat(data["at"]), tuple(data["examples"])
        return Proof(**fields | {"at": at, "examples": examples})
    except (OSError, AttributeError, KeyError, TypeError, ValueError):
        return None


def digest_of(folder: Path) -> str:
    """SHA-256 of the manifest of an archive."""
    return hashlib.sha256((folder / manifests.FILE).read_bytes()).hexdigest()
