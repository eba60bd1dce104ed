"""The folder of downloaded data sets."""

import os
from pathlib import Path


def get_data_home(data_home: str | os.PathLike[str] | None = None) -> Path:
    """Return the folder in which skrec stores downloaded data sets, and create it if it does not exist.

    Parameters
    ----------
    data_home : str or path-like, default=None
        The folder; ``~`` is expanded. If None, the value of the environment variable ``SKREC_DATA`` if it is set, else
        ``~/skrec_data``.

    Returns
    -------
    Path

    Raises
    ------
    OSError
        If the folder cannot be created.

    Examples
    --------
    >>> import tempfile
    >>> from skrec.datasets import get_data_home
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     get_data_home(folder).is_dir()
    True
    """
    folder = Path(data_home or os.environ.get("SKREC_DATA") or "~/skrec_data").expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    return folder
