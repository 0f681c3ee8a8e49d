"""What several tests share."""

import os
from collections.abc import Iterator
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import pytest
from support.contrast import too_pale

from helpers.figures.style import use_style

# What takes longest comes first, so that no processor is left waiting for the other at the end.
LESSONS = "tests/notebooks/test_lesson"
PROCESSES = ("tests/campaigns", "tests/hostile", "tests/benchmarks")
LONG = ("tests/inference/test_rounds", "tests/inference/test_reference", "tests/inference/test_npe")
ALONE = ("tests/widgets/test_live", "tests/tools/test_grade", "tests/tools/test_types", "tests/tools/test_website")
FIRST = ("2_", "3_", "tests/browser", "1_", LESSONS, *LONG, "tests/notebooks", *PROCESSES, *ALONE)
# They start processes, try cases by the thousand, train networks, compile many kernels or run lessons. The list of what
# hostile input is tried on is checked at once.
TRAINING = ("tests/inference/test_npe", "tests/inference/test_reference_posteriors", "tests/artificial")
FITTING = ("tests/cells", "tests/inference/test_importance", "tests/inference/test_correlations")
COMPILING = ("tests/simulation/test_network", "tests/simulation/test_integrators", "tests/widgets/test_posterior")
SLOW = (*PROCESSES, *TRAINING, *FITTING, *COMPILING, LESSONS, "tests/notebooks/test_deeper", "tests/exercises")
os.environ["PYHH_CHECKS"] = "strict"  # in a notebook, a claim that no longer holds is a failure here


@pytest.hookimpl(tryfirst=True)  # before pytest looks at markers
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put tests in order, mark slow rooms; tests marked `long` run only where they are asked for by that name."""
    for item in items:
        if item.nodeid.startswith(SLOW) and "test_hostile_coverage" not in item.nodeid:
            item.add_marker("slow")
    items.sort(key=lambda item: next((i for i, start in enumerate(FIRST) if item.nodeid.startswith(start)), len(FIRST)))
    if "long" not in (config.option.markexpr or ""):
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("long")])
        items[:] = [item for item in items if not item.get_closest_marker("long")]


@pytest.fixture(autouse=True)
def look() -> Iterator[None]:
    """Every test draws in the look of the series, in which all can be read, and leaves no figure open."""
    plt.switch_backend("agg")
    with matplotlib.rc_context():
        use_style()
        yield
        pale = [found for number in plt.get_fignums() for found in too_pale(plt.figure(number))]
    plt.close("all")
    assert not pale, f"hard to read on white: {', '.join(pale)}"


@pytest.fixture(scope="module")  # no longer: while it runs, nothing else can use asyncio
def browser() -> Iterator[object]:
    """Chromium; where there is none, the tests that need it are skipped, but not where CI says that all must run."""
    driver = pytest.importorskip("support.browser", reason="no Playwright here: pip install -r tests/requirements.txt")
    if driver.find_chromium() is None:
        assert not os.environ.get("CI"), "no Chromium: on Debian, apt-get install chromium"
        pytest.skip("no Chromium here: install it, or name it in PYHH_BROWSER_PATH")
    with driver.chromium() as chromium:
        yield chromium


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder of real recordings that PYHH_RECORDINGS names."""
    folder = os.environ.get("PYHH_RECORDINGS")
    if not folder:
        pytest.skip("no recordings here: set PYHH_RECORDINGS to the folder that holds them")
    return Path(folder)


@pytest.fixture(scope="session")
def cases() -> Path:
    """The folder of files that people have, which PYHH_CASES names, or which lies beside the repository."""
    folder = Path(os.environ.get("PYHH_CASES", Path(__file__).parents[2] / "shared" / "cases"))
    if not folder.is_dir():
        pytest.skip("no such files here: set PYHH_CASES to the folder that holds them")
    return folder


@pytest.fixture(scope="session")
def reference_posteriors() -> Path:
    """The folder of reference posteriors that PYHH_REFERENCES names, or that lies beside the repository."""
    beside = Path(__file__).parents[2] / "shared" / "reference_posteriors"
    folder = Path(os.environ.get("PYHH_REFERENCES", beside))
    if not folder.is_dir():
        pytest.skip("no reference posteriors here: set PYHH_REFERENCES to the folder that holds them")
    return folder
