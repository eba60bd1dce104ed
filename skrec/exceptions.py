"""The exceptions that skrec defines.

Each of them is also the built-in exception that scikit-learn would raise instead, so ``except ValueError`` keeps
working. An estimator that is not fitted raises :class:`sklearn.exceptions.NotFittedError`.

Examples
--------
>>> from skrec.exceptions import ColumnError
>>> issubclass(ColumnError, ValueError)
True
"""

__all__ = ["ColumnError", "DownloadError", "FileFormatError", "SkrecError", "UnknownIdError"]


class SkrecError(Exception):
    """Base class of the exceptions that skrec defines.

    Examples
    --------
    >>> from skrec.exceptions import SkrecError, UnknownIdError
    >>> issubclass(UnknownIdError, SkrecError)
    True
    """


class ColumnError(SkrecError, ValueError):
    """A column is missing, misspelled or duplicated.

    Examples
    --------
    >>> from skrec.exceptions import ColumnError
    >>> raise ColumnError("X has no column 'user_id'")
    Traceback (most recent call last):
    skrec.exceptions.ColumnError: X has no column 'user_id'
    """


class UnknownIdError(SkrecError, ValueError):
    """An id was not seen in ``fit`` and the estimator has ``handle_unknown="error"``.

    Examples
    --------
    >>> from skrec.exceptions import UnknownIdError
    >>> raise UnknownIdError("column 'user_id' holds the unknown id 'ana'")
    Traceback (most recent call last):
    skrec.exceptions.UnknownIdError: column 'user_id' holds the unknown id 'ana'
    """


class FileFormatError(SkrecError, ValueError):
    """A file is damaged, or is not of the expected kind.

    Examples
    --------
    >>> from skrec.exceptions import FileFormatError
    >>> raise FileFormatError("model.skrec is not a skrec file")
    Traceback (most recent call last):
    skrec.exceptions.FileFormatError: model.skrec is not a skrec file
    """


class DownloadError(SkrecError, OSError):
    """A data set could not be downloaded, or the download has the wrong checksum.

    Examples
    --------
    >>> from skrec.exceptions import DownloadError
    >>> issubclass(DownloadError, OSError)
    True
    """
