"""What several tests share."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder of real recordings that PYHH_RECORDINGS names."""
    folder = os.environ.get("PYHH_RECORDINGS")
    if not folder:
        pytest.skip("no recordings here: set PYHH_RECORDINGS to the folder that holds them")
    return Path(folder)
