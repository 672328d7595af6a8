"""Every error that the console raises on purpose. Each says what is wrong (`message`) and what to do (`remedy`).

ConsoleError
├── SettingsError            console.toml or an environment variable is wrong
├── LedgerError              the console's own database
│   ├── LedgerUnavailable    cannot be opened, read or written
│   └── LedgerOwned          another process is the owner of this workspace
├── CatalogError             the list of pictures
│   ├── CatalogUnavailable   the database, folder or list cannot be read
│   └── CatalogInvalid       it can be read, but not as configured
│       └── KeysUnusable     its keys cannot order its rows
├── ImageError               one picture; a value in the pipeline, never the end of a run
│   ├── ImageMissing
│   ├── ImageEmpty
│   ├── ImageUnreadable
│   ├── ImageUnsupported
│   ├── ImageTooLarge
│   ├── ImageForbidden
│   ├── ImageTimeout
│   └── ImageUnavailable
├── ModelError               an embedding model
│   ├── ModelUnknown         no such card, architecture or weights tag
│   ├── ModelNotLoadable     known, but its weights or configuration cannot be loaded
│   ├── NoTextTower          the model cannot embed text
│   ├── ModelOutputInvalid   the model answered with something that is not a vector
│   ├── DeviceOutOfMemory    not even one picture fits
│   ├── DeviceLost           it stopped working, and does not again in this process
│   └── EngineStopped        the process that has the models ended
├── StoreError               a vector store
│   ├── StoreUnavailable     cannot be reached or opened
│   │   └── OutcomeUnknown   it stopped answering in the middle of a change
│   ├── StoreRefused         reached, and it said no
│   │   └── StoreDenied      it said no to the console itself, whatever is asked
│   ├── StoreFull            no space left
│   ├── StoreReadOnly        a write was tried during a dry run
│   ├── CollectionNotFound
│   ├── CollectionExists
│   ├── AliasConflict        the alias is not, or cannot be, what was expected
│   ├── DimensionMismatch
│   ├── VectorInvalid        non-finite or zero
│   └── FingerprintMismatch  the vectors come from another model
├── BackupError              a portable backup of a collection
│   ├── BackupUnavailable    its folder cannot be read or written
│   ├── BackupFull           no space left for it
│   ├── BackupDamaged        it is not what was written; `damage` names how
│   ├── BackupDiffers        what was restored from it is not what was saved
│   └── BackupNotProven      no restore of it was ever compared
├── FailsThroughout          picture after picture failed: the source, the model or the store is at fault
└── CommandError             what a person asked for
    ├── NotAllowed           the role does not permit it
    ├── NotFound             no such run, migration or page
    ├── IllegalTransition    a run in this state cannot do that
    └── Refused              a precondition does not hold (a red verdict, a moved alias)
        └── Incomparable     there was nothing to compare a claim with
"""

import datetime


class ConsoleError(Exception):
    """What is wrong, and what a person can do about it."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class SettingsError(ConsoleError):
    """console.toml or an environment variable is wrong."""


class LedgerError(ConsoleError):
    """The console's own database."""


class LedgerUnavailable(LedgerError):
    """The ledger cannot be opened, read or written."""


class LedgerOwned(LedgerError):
    """Another process is the owner of this workspace."""


class CatalogError(ConsoleError):
    """The list of pictures."""


class CatalogUnavailable(CatalogError):
    """The database, folder or list cannot be read."""


class CatalogInvalid(CatalogError):
    """The catalog can be read, but not as configured."""


class KeysUnusable(CatalogInvalid):
    """The catalog's keys are missing, mixed or not all different, so that paging by key would miss rows."""


class ImageError(ConsoleError):
    """One picture cannot be used. A value in the pipeline, never the end of a run. `read_at` is when its bytes began to
    be read, where that is known."""

    kind = "unreadable"

    def __init__(self, message: str, remedy: str = "", *, path: str = "") -> None:
        super().__init__(message, remedy)
        self.path = path
        self.read_at: datetime.datetime | None = None


class ImageMissing(ImageError):
    """There is nothing at any of its paths."""

    kind = "missing"


class ImageEmpty(ImageError):
    """There is a file, but no byte in it."""

    kind = "empty"


class ImageUnreadable(ImageError):
    """There are bytes, but no picture can be decoded from them."""


class ImageUnsupported(ImageError):
    """The bytes are something else than a picture of a supported format."""

    kind = "unsupported"


class ImageTooLarge(ImageError):
    """More bytes or pixels than the console accepts."""

    kind = "too large"


class ImageForbidden(ImageError):
    """It may not be read: permissions, or a path outside the image root."""

    kind = "forbidden"


class ImageTimeout(ImageError):
    """It did not arrive in time."""

    kind = "timeout"


class ImageUnavailable(ImageError):
    """What has it did not give it, and may at another try."""

    kind = "unavailable"


class ModelError(ConsoleError):
    """An embedding model."""


class ModelUnknown(ModelError):
    """No such card, architecture or weights tag."""


class ModelNotLoadable(ModelError):
    """The model is known, but its weights or configuration cannot be loaded."""


class NoTextTower(ModelError):
    """The model cannot embed text."""


class ModelOutputInvalid(ModelError):
    """The model answered with something that is not a vector."""


class DeviceOutOfMemory(ModelError):
    """Not even one picture fits into the device's memory."""


class DeviceLost(ModelError):
    """The device stopped working, and does not again in this process."""


class EngineStopped(ModelError):
    """The process that has the models ended."""


class StoreError(ConsoleError):
    """A vector store."""


class StoreUnavailable(StoreError):
    """The store cannot be reached or opened."""


class OutcomeUnknown(StoreUnavailable):
    """The store stopped answering in the middle of a change, which may have been made."""


class StoreRefused(StoreError):
    """The store was reached, and said no."""


class StoreDenied(StoreRefused):
    """The store was reached, and does not let this console in: what it was asked does not matter."""


class StoreFull(StoreError):
    """The store has no space left."""


class StoreReadOnly(StoreError):
    """A write was tried during a dry run."""


class CollectionNotFound(StoreError):
    """No collection or alias of that name."""


class CollectionExists(StoreError):
    """The name is taken."""


class AliasConflict(StoreError):
    """The alias is not, or cannot be, what was expected."""


class DimensionMismatch(StoreError):
    """Vectors of one length, a collection of another."""


class VectorInvalid(StoreError):
    """A vector is non-finite or has no length."""


class FingerprintMismatch(StoreError):
    """The vectors come from another model than the collection's."""


class BackupError(ConsoleError):
    """A portable backup of a collection."""


class BackupUnavailable(BackupError):
    """The backup's folder cannot be read or written."""


class BackupFull(BackupError):
    """There is no space left for the backup."""


class BackupDamaged(BackupError):
    """The backup is not what was written. `damage` names how, in words for people."""

    def __init__(self, message: str, remedy: str = "", *, damage: str = "") -> None:
        super().__init__(message, remedy)
        self.damage = damage


class BackupDiffers(BackupError):
    """What was restored from the backup is not what was saved."""


class BackupNotProven(BackupError):
    """No restore of the backup was ever compared with it."""


class FailsThroughout(ConsoleError):
    """Picture after picture failed, so it is not the pictures: the source, the model or the store is at fault."""


class CommandError(ConsoleError):
    """What a person asked for cannot be done."""


class NotAllowed(CommandError):
    """The role does not permit it."""


class NotFound(CommandError):
    """No such run, migration or picture."""


class IllegalTransition(CommandError):
    """A run in this state cannot do that."""


class Refused(CommandError):
    """A precondition does not hold."""


class Incomparable(Refused):
    """There was nothing to compare a claim with."""
