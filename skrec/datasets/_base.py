"""Where downloaded data sets are kept."""

import os
from pathlib import Path


def get_data_home(data_home: str | os.PathLike[str] | None = None) -> Path:
    """Return the folder in which skrec keeps downloaded data sets; it is made if it does not exist.

    Parameters
    ----------
    data_home : str or path-like, default=None
        The folder; ``~`` is expanded. By default the one that the environment variable ``SKREC_DATA`` names, else
        ``~/skrec_data``.

    Returns
    -------
    Path

    Raises
    ------
    OSError
        If the folder cannot be made.

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
