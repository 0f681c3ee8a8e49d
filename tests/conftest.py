"""What several tests share."""

import os
from collections.abc import Iterator
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import pytest

from helpers.figures import use_style


@pytest.fixture(autouse=True)
def look() -> Iterator[None]:
    """Every test draws in the look of the series, whatever ran before it, and leaves no figure open."""
    plt.switch_backend("agg")
    with matplotlib.rc_context():
        use_style()
        yield
    plt.close("all")


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder of real recordings that PYHH_RECORDINGS names."""
    folder = os.environ.get("PYHH_RECORDINGS")
    if not folder:
        pytest.skip("no recordings here: set PYHH_RECORDINGS to the folder that holds them")
    return Path(folder)


@pytest.fixture(scope="session")
def reference_posteriors() -> Path:
    """The folder of reference posteriors that PYHH_REFERENCES names, or that lies beside the repository."""
    beside = Path(__file__).parents[2] / "shared" / "reference_posteriors"
    folder = Path(os.environ.get("PYHH_REFERENCES", beside))
    if not folder.is_dir():
        pytest.skip("no reference posteriors here: set PYHH_REFERENCES to the folder that holds them")
    return folder
