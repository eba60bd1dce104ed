"""Estimators in one file that loads without executing anything.

The file is a zip archive, not compressed, of ``manifest.json`` (format, versions, the SHA-256 of every array, and the
attributes of the estimator) and of arrays in NumPy's ``.npy`` format; the comment of the archive is the SHA-256 of the
manifest. Long arrays of whole numbers, such as the log of events, are stored in the smallest type that holds them; the
attributes name their own type. Only objects of the classes listed in ``_classes`` are created when the file is read,
and no code in it is executed.
"""

import os
import uuid
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from skrec._trusted import trusted_by_name
from skrec._warnings import warn
from skrec.exceptions import FileFormatError
from skrec.persistence._archive import read, version_of, write
from skrec.persistence._classes import DAMAGED, name_of
from skrec.persistence._trusted_types import trusted_types
from skrec.persistence._values import CURE, Encoder, trust_hint

__all__ = ["load", "save", "trusted_types"]


def save(estimator: Any, path: str | os.PathLike[str], *, trusted: Iterable[Any] | None = None) -> None:
    """Store an estimator in one file that loads without executing anything.

    Unlike a pickle, the file cannot run code when it is loaded, and does not depend on the module layout of skrec. It
    is written beside `path` and then moved to `path`, so that a failed `save` leaves an existing file unchanged.

    Parameters
    ----------
    estimator : estimator
        A model or transformer of skrec, fitted or not, or a scikit-learn ``Pipeline`` or ``ColumnTransformer`` of these
        and of scikit-learn's encoders and scalers. For a search, pass its ``best_estimator_``.
    path : str or path-like
        The file to write; any name is allowed.
    trusted : list of classes and functions, default=None
        Classes and functions of other packages, or of your own, that are part of the estimator, such as its class, a
        ``loss`` or the function of a ``FunctionTransformer``. The file contains their names, not their code: they must
        be importable, and must be passed to :func:`load` as well.

    Raises
    ------
    TypeError
        If a part of the estimator cannot be stored without pickle, such as a lambda, a callback or a ``RandomState``,
        or is not `trusted`; the message says which part.
    OSError
        If the file cannot be written.

    See Also
    --------
    load : Read the file.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import skrec
    >>> from skrec.preprocessing import IDEncoder
    >>> encoder = IDEncoder().fit([["ana"], ["bo"]])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     skrec.save(encoder, Path(folder) / "encoder.skrec")
    ...     skrec.load(Path(folder) / "encoder.skrec").transform([["bo"]])
    array([[2]])
    """
    by_name = trusted_by_name(trusted)
    if name_of(type(estimator)) is None and type(estimator) not in by_name.values():
        hint = f" {trust_hint(estimator)}{CURE}"
        if hasattr(estimator, "best_estimator_"):
            hint = " Save its best_estimator_."
        raise TypeError(f"{type(estimator).__name__} is not a class that skrec.save can store.{hint}")
    encoder = Encoder(by_name)
    root = encoder.encode(estimator, type(estimator).__name__)
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise IsADirectoryError(f"{target} is a folder: name a file, for instance one in it.")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"The folder {target.parent} does not exist: create it first.")
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex}.tmp")
    try:
        with temporary.open("xb") as file:
            with zipfile.ZipFile(file, "w") as archive:
                write(archive, root, encoder.arrays)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def load(path: str | os.PathLike[str], *, trusted: Iterable[Any] | None = None) -> Any:
    """Load an estimator that was stored by :func:`save`.

    Parameters
    ----------
    path : str or path-like
        The file to read.
    trusted : list of classes and functions, default=None
        Classes and functions of other packages, or of your own, such as those passed to :func:`save`. Names in the file
        are looked up in this list; nothing is imported because a file names it.

    Returns
    -------
    estimator
        The stored estimator; its predictions are exactly the same.

    Raises
    ------
    FileFormatError
        If the file was not written by skrec, is damaged or altered, has a newer format, or names a class or function
        that is not `trusted`.
    TypeError
        If `trusted` holds anything but classes and functions.
    OSError
        If the file cannot be opened.

    Warns
    -----
    UserWarning
        If the file was written by another minor version of skrec (or of scikit-learn, for its estimators).

    See Also
    --------
    save : Store an estimator in a file.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import skrec
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> pipeline = make_pipeline(StandardScaler(), LogisticRegression()).fit([[0.0], [1.0]], [0, 1])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     skrec.save(pipeline, Path(folder) / "model.skrec", trusted=[LogisticRegression])
    ...     skrec.load(Path(folder) / "model.skrec", trusted=[LogisticRegression]).predict([[0.9]])
    array([1])
    """
    by_name = trusted_by_name(trusted)
    with Path(path).open("rb") as file:
        if file.read(4) != b"PK\x03\x04":
            raise FileFormatError(f"{os.fspath(path)} is not a file that skrec.save or skrec.export wrote.")
        try:
            estimator, differing = read(file, by_name)
        except FileFormatError as error:
            raise FileFormatError(f"{os.fspath(path)} cannot be loaded. {error}") from error.__cause__
        except ImportError as error:
            raise ImportError(
                f"{os.fspath(path)} needs {error.name}, which is not installed.", name=error.name
            ) from error
        except Exception as error:  # zipfile, json and numpy raise a dozen types on damaged data
            raise FileFormatError(f"{os.fspath(path)} cannot be loaded. {DAMAGED}") from error
    for package, version in differing.items():
        warn(
            f"{os.fspath(path)} was written with {package} {version}, and this is {package} {version_of(package)}: "
            "predictions may differ. Compare some, or fit and save again.",
            UserWarning,
        )
    return estimator
