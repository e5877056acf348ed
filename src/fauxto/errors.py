"""The exceptions that fauxto raises.

FauxtoError                base class of all errors below
├── ImageError             one picture can't be judged; carries its `Status` (a `Detector` turns it into a `Report`)
├── BundleError            a model bundle can't be used
│   ├── BundleNotFoundError    no bundle of that name or at that path
│   ├── BundleFormatError      bundle.json or the network breaks the bundle contract
│   └── ModelIntegrityError    model.onnx isn't the file that bundle.json describes
├── MissingExtraError      a feature needs an optional extra that isn't installed
├── ConfigError            a configuration file or option has a wrong key or value
├── DatasetError           an archive, a folder or a manifest can't be used as a data set
└── ServiceError           the service can't be reached or refuses a request; carries its status code
"""

from __future__ import annotations

from fauxto.report import Status


class FauxtoError(Exception):
    """Base class of fauxto's errors."""


class ImageError(FauxtoError):
    """One picture can't be judged; `status` says why in a word, the message in a sentence."""

    def __init__(self, status: Status, message: str) -> None:
        super().__init__(message)
        self.status = status


class BundleError(FauxtoError):
    """A model bundle can't be used."""


class BundleNotFoundError(BundleError):
    """No bundle of that name or at that path."""


class BundleFormatError(BundleError):
    """bundle.json or the network breaks the bundle contract."""


class ModelIntegrityError(BundleError):
    """model.onnx isn't the file that bundle.json describes."""


class MissingExtraError(FauxtoError):
    """A feature needs an optional extra that isn't installed."""

    def __init__(self, extra: str, needed_for: str) -> None:
        super().__init__(f"{needed_for} needs the extra {extra!r}: pip install '.[{extra}]' in fauxto's checkout")
        self.extra = extra


class ConfigError(FauxtoError):
    """A configuration file or option has a wrong key or value."""


class DatasetError(FauxtoError):
    """An archive, a folder or a manifest can't be used as a data set."""


class ServiceError(FauxtoError):
    """The service can't be reached, or refuses a request.

    Attributes:
        status: HTTP status code, or None without a response.
        request_id: The request's id in the service's log, or None.
    """

    def __init__(self, message: str, status: int | None = None, request_id: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.request_id = request_id
