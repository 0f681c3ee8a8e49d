"""The types of helpers and tools, as mypy reads them: a third of a minute of one processor, beside the other tests."""

import subprocess
import sys

import pytest

from tools import ROOT


@pytest.mark.slow
def test_types_fit_together():
    done = subprocess.run([sys.executable, "-m", "mypy"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
