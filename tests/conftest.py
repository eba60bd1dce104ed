"""Fixtures that the tests of every package share."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# A busy machine is slow, not wrong: examples have no deadline.
settings.register_profile("skrec", deadline=None)
settings.load_profile("skrec")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with the publishers' data sets, ``ml-100k/`` and ``ml-1m/`` among them; skips where there is none.

    The environment variable SKREC_TEST_DATA names it; without one, it is ``shared/data`` beside the repository.
    Their licences forbid keeping them in the repository.
    """
    named = os.environ.get("SKREC_TEST_DATA")
    folder = Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "data"
    missing = [name for name in ("ml-100k", "ml-1m") if not (folder / name).is_dir()]
    if named and missing:
        pytest.fail(f"SKREC_TEST_DATA={named!r} holds no folder {' and no folder '.join(missing)}.")
    if missing:
        pytest.skip(f"no real data in {folder}; set SKREC_TEST_DATA to a folder with ml-100k/ and ml-1m/")
    return folder
