"""What `check` prints in a notebook, and that the tests do not let a failed claim pass."""

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell

from helpers import check


def said(source: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Run a cell in a notebook's shell and return what it prints."""
    shell = InteractiveShell.instance()
    result = shell.run_cell("import numpy as np\nfrom helpers import check\n" + source)
    assert result.success, result.error_in_exec
    return capsys.readouterr().out


@pytest.fixture
def lenient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYHH_CHECKS")


def test_a_claim_that_holds_is_confirmed(capsys: pytest.CaptureFixture[str]) -> None:
    check("the leak alone charges with tau", 1e-10 < 1e-9)
    check("also with numpy's own truth values", np.float64(1.0) > 0)
    assert capsys.readouterr().out == "✓ the leak alone charges with tau\n✓ also with numpy's own truth values\n"


def test_a_claim_that_no_longer_holds_says_what_it_is_now_and_goes_on(
    lenient: None, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = said("rate = 72.345\ncheck('the axon fires at 68 Hz', round(rate) == 68)\nprint('on')", capsys)
    claim, on = printed.splitlines()
    assert claim == "✗ with these settings it is no longer true that the axon fires at 68 Hz (now round(rate) = 72)"
    assert on == "on"


def test_only_the_comparisons_that_fail_are_shown(lenient: None, capsys: pytest.CaptureFixture[str]) -> None:
    cell = "a, b, peaks = 1.0, 2.0, np.array([1.23456, 2.0])\ncheck('so', a < 3 and b < 1.5 and (peaks < 2).all())"
    assert said(cell, capsys).endswith("(now b = 2; peaks = [1.2346 2.    ])\n")


def test_without_a_comparison_the_claim_alone_is_shown(lenient: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert said("check('so', all(k > 5 for k in [1, 2]))", capsys).endswith("no longer true that so\n")


def test_in_the_tests_a_failed_claim_fails() -> None:
    value = 3
    with pytest.raises(AssertionError, match="value is two .now value = 3."):
        check("value is two", value == 2)


@pytest.mark.parametrize("holds", [np.array([True, False]), 0, None, "yes", np.nan])
def test_what_is_neither_true_nor_false_is_rejected(holds: object) -> None:
    with pytest.raises(ValueError, match="holds is .*; allowed: True or False"):
        check("a claim", holds)
