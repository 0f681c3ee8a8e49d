"""What a peer is: a name, what it needs, and one function per workload that builds a simulation to be timed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

import numpy as np

ALL_CORES = os.cpu_count() or 1

Training = Callable[[np.ndarray, np.ndarray, float], np.ndarray]
Single = Callable[[], np.ndarray]


@dataclass(frozen=True)
class Peer:
    """One way to simulate. Its functions belong to a module (no lambdas), so that another process can load them.

    name: as in the table and for --only.
    package: the distribution it stands on; it must be installed, and its version is shown.
    training: called with a number of simulations n, sets everything up and returns what is timed:
        (g_Na (n,), g_K (n,), noise) -> the statistics (n, 7), or the traces (n, steps + 1), which are reduced
        outside the clock. None: not for this peer.
    single: sets up and returns () -> V (steps + 1,).
    n: simulations in a call of the training set, enough for the peer's best speed and for a call of about a second.
    quick_n: the same for a quick try.
    cores: used by the training set; a single cell takes one.
    program: that must be on the PATH besides, such as a compiler.
    note: what a reader of the table must know.
    """

    name: str
    package: str
    training: Callable[[int], Training] | None = None
    single: Callable[[], Single] | None = None
    n: int = 1000
    quick_n: int = 20
    precision: str = "f64"
    cores: int = 1
    program: str | None = None
    note: str = ""

    @property
    def version(self) -> str:
        return f"{self.package} {version(self.package)}"

    def available(self) -> str | None:
        """Why this peer cannot run here, or None if it can."""
        try:
            version(self.package)
        except PackageNotFoundError:
            return f"{self.package} is not installed"
        if self.program and not shutil.which(self.program):
            return f"{self.program} is not on the PATH"
        return None
