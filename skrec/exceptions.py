"""The errors of skrec that a caller may want to catch.

Every one of them is also the built-in error that scikit-learn would raise in its place, so ``except ValueError``
keeps working. An estimator that is not fitted raises :class:`sklearn.exceptions.NotFittedError`.

Examples
--------
>>> from skrec.exceptions import ColumnError
>>> issubclass(ColumnError, ValueError)
True
"""

__all__ = ["ColumnError", "DownloadError", "FileFormatError", "SkrecError", "UnknownIdError"]


class SkrecError(Exception):
    """Base class of the errors that skrec defines.

    Examples
    --------
    >>> from skrec.exceptions import SkrecError, UnknownIdError
    >>> issubclass(UnknownIdError, SkrecError)
    True
    """


class ColumnError(SkrecError, ValueError):
    """A column is missing, misspelt or there twice.

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
    """A file is damaged, or is not of the kind that was asked for.

    Examples
    --------
    >>> from skrec.exceptions import FileFormatError
    >>> raise FileFormatError("model.skrec is not a skrec file")
    Traceback (most recent call last):
    skrec.exceptions.FileFormatError: model.skrec is not a skrec file
    """


class DownloadError(SkrecError, OSError):
    """A data set could not be downloaded, or what arrived has the wrong checksum.

    Examples
    --------
    >>> from skrec.exceptions import DownloadError
    >>> issubclass(DownloadError, OSError)
    True
    """
