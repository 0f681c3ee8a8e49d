"""A simulation campaign: many simulations of one neuron over a prior, kept in a folder, file by file.

    campaign = Campaign("spikes", Pospischil(), step(3.2, 10.0, 110.0), prior, 120.0, seed=0)
    simulations = campaign.run(1_000_000, progress=True)
    theta, x = simulations.read(0, 1000)

Simulation i has parameters prior.draw(number, seed)[i] and noise stream i of `seed`, whoever computes it and when: the
same campaign gives the same bits however it was split, run, killed, resumed and extended. Everything else follows. A
file that is missing or damaged is regenerated; a process that dies loses no more than the files that it had begun; two
processes in a folder share the work, and where they do the same twice it is the same.
"""

from __future__ import annotations

import tempfile
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout
from numba import njit
from numba.core.dispatcher import Dispatcher
from tqdm.auto import tqdm

from helpers.inference.priors import Prior
from helpers.inference.simulator import differences
from helpers.neurons.equations import Neuron
from helpers.simulation.arguments import as_seed, as_stimulus, number_of_steps
from helpers.simulation.batch import simulate_many
from helpers.simulation.compiler.spec import LANES
from helpers.simulation.integrators import EXPONENTIAL_EULER
from helpers.simulation.stimuli import Stimulus
from helpers.simulation.summaries import Summary, summary_statistics
from helpers.validation import instance, whole_number

from .identity import description
from .shards import FaultKind, clear_leftovers, cover, fault, list_shards, write_shard
from .simulations import MANIFEST, Simulations, key_of, write_manifest

__all__ = ["Campaign"]

SHARD = 10_000  # simulations in a file: half a megabyte, computed in a second
FILES = 10_000  # at most: all are looked at before one is begun
POLL = 0.2  # s; how often to look whether another process has finished its files


@dataclass(frozen=True)
class Campaign:
    """What is simulated, and the folder that stores it.

    Parameters
    ----------
    folder
        Its path.
    neuron, stimulus, duration, dt, summarise, method, precision
        As in `simulate_many`; times in ms.
    prior
        Of the parameters that vary.
    seed
        Of parameters and noise.
    """

    folder: Path
    neuron: Neuron
    stimulus: Stimulus | np.ndarray
    prior: Prior
    duration: float
    dt: float = 0.01
    seed: int = 0
    summarise: Summary | Callable[[Any], Any] = summary_statistics
    method: str = EXPONENTIAL_EULER
    precision: str = "double"

    def __post_init__(self) -> None:
        instance("neuron", self.neuron, Neuron, "a neuron, such as Pospischil()")
        instance("prior", self.prior, Prior, "a prior, such as box_prior(...) makes")
        n_steps = number_of_steps(self.duration, self.dt, self.method, self.neuron)
        checked = {
            "folder": Path(self.folder).resolve(),
            "stimulus": as_stimulus(self.stimulus, n_steps, float(self.dt)),
            "seed": as_seed(self.seed)[0],
        }
        if not isinstance(self.summarise, Summary | Dispatcher):  # compiled once, not for every file
            checked["summarise"] = njit(nogil=True, error_model="numpy")(self.summarise)
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    def run(
        self,
        number: int,
        *,
        client: Any = None,
        shard: int | None = None,
        threads: int | None = None,
        progress: bool = False,
    ) -> Simulations:
        """Compute the simulations 0 to `number` - 1 that are missing, and return all of them.

        Existing files are checked first; a damaged one is regenerated, with a warning. Ctrl-C stops after the files
        that are being written.

        Parameters
        ----------
        number
            Of simulations in all; it may grow from call to call.
        client
            `dask.distributed.Client`, whose workers compute and write, and must see the folder under the same name.
            Without one this process computes, on `threads` threads (default: one per core).
        shard
            Simulations in a file; by default 10,000, or as many as make 10,000 files.
        progress
            Whether to show a bar with speed and time left.

        Raises
        ------
        ValueError
            For arguments that do not fit, a simulation that fails (what was computed before is kept), and a folder that
            holds another campaign.
        OSError
            If the folder cannot be written.
        """
        number = whole_number("number", number, 1)
        shard = max(SHARD, number // FILES) if shard is None else whole_number("shard", shard, 1)
        about = description(self)
        self._register(number, about)
        self._remove_damaged(key_of(about))
        gaps = cover(list_shards(self._shards), 0, number)[1]
        if gaps:
            _check_writable(self._shards)
            self._check_bits()
            cells = deque(_cells(gaps, shard))
            with _workers(client, threads) as (pool, slots, own), _bar(number, gaps, progress) as bar:
                self._work(cells, shard, pool, slots, (key_of(about), own), bar)
        with suppress(OSError):  # a complete campaign may be in a read-only folder
            self._tidy()
        return Simulations(self.folder)

    def simulate(self, first: int, stop: int, threads: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Compute theta and x of the simulations `first` to `stop` (excluded) in this process."""
        theta = self.prior.draw(stop - first, self.seed, first)
        return theta, simulate_many(
            self.neuron, self.stimulus, self.prior.by_name(theta), self.duration, self.dt, seed=self.seed, first=first,
            method=self.method, precision=self.precision, summarise=self.summarise, threads=threads,
        )  # fmt: skip

    @property
    def _shards(self) -> Path:
        return self.folder / "shards"

    def _register(self, number: int, about: dict[str, Any]) -> None:
        """Make the folder this campaign's, or find that it is; note that it holds `number` simulations at least."""
        if (self.folder / MANIFEST).exists() and self._same(about).number >= number:
            return
        if not (self.folder / MANIFEST).exists():
            self.simulate(0, 1)  # a campaign that cannot run must not take the folder
        self._shards.mkdir(parents=True, exist_ok=True)
        _check_writable(self.folder)
        with FileLock(self.folder / "campaign.lock"):
            if not (self.folder / MANIFEST).exists() or self._same(about).number < number:
                write_manifest(self.folder, number, about)

    def _same(self, about: dict[str, Any]) -> Simulations:
        """What the folder holds. Raises ValueError where that is another campaign than this, and says what differs."""
        kept = Simulations(self.folder)
        if kept.key != key_of(about):
            differing = ", ".join(differences(kept.about, about)) or "its key"
            raise ValueError(f"{self.folder} holds another campaign ({differing}): choose another folder")
        return kept

    def _remove_damaged(self, key: str) -> None:
        damaged = []
        for shard in list_shards(self._shards):
            found = fault(shard, key)
            if found and found.kind is FaultKind.FOREIGN:
                raise ValueError(f"{shard.path} is {found.words}: remove it")
            if found and found.kind is FaultKind.DAMAGED:
                damaged.append(shard)
        if damaged:
            for shard in damaged:
                shard.path.unlink(missing_ok=True)
            names = ", ".join(shard.path.name for shard in damaged[:3]) + (", ..." if len(damaged) > 3 else "")
            warnings.warn(f"{len(damaged)} damaged, to be regenerated: {names}", stacklevel=3)

    def _check_bits(self) -> None:
        """Compute the first simulations of a file again. Raises ValueError where this machine finds other bits."""
        kept = Simulations(self.folder)
        for part in cover(kept.shards, 0, kept.number)[0][:1]:
            last = min(part.first + LANES, part.stop)
            if not all(map(np.array_equal, kept.read(part.first, last), self.simulate(part.first, last))):
                raise ValueError(
                    f"simulations {part.first} to {last - 1} come out differently here than in {self.folder} (another "
                    "kind of processor?): go on where they were made, or choose another folder"
                )

    def _work(self, cells: deque[tuple[int, int]], shard: int, pool: Executor, slots: Callable[[], int], how: Any,
              bar: tqdm) -> None:  # fmt: skip
        """Have every cell made that is not there yet; leave those to others that they are at work on."""
        running: dict[Future[int], FileLock] = {}
        try:
            while cells or running:
                taken = 0
                for _ in range(len(cells)):
                    if len(running) >= slots():
                        break
                    first, stop = cells.popleft()
                    if (claim := self._claim(first, shard)) is None:
                        cells.append((first, stop))  # another process has it: look again later
                        continue
                    taken += 1
                    begun = cover(list_shards(self._shards), first, stop)[1]
                    bar.update(stop - first - sum(b - a for a, b in begun))
                    clear_leftovers(self._shards, first, stop)
                    if begun:
                        running[pool.submit(_make, self, *begun[0], *how)] = claim
                        cells.extend(begun[1:])
                    else:
                        _let_go(claim)
                if running:
                    for future in wait(running, POLL, FIRST_COMPLETED).done:
                        _let_go(running.pop(future))
                        bar.update(future.result())
                elif cells and not taken:
                    time.sleep(POLL)
        finally:
            for future in running:
                future.cancel()
            wait(running)
            for claim in running.values():
                _let_go(claim)

    def _tidy(self) -> None:
        """Remove what processes that died have left: unfinished files, and locks that nobody holds."""
        clear_leftovers(self._shards)
        for path in self._shards.glob("*.lock"):
            if (claim := self._claim(int(path.stem), 1)) is not None:
                _let_go(claim)

    def _claim(self, first: int, shard: int) -> FileLock | None:
        """The right to make the file around simulation `first`; None where another process has it.

        The system takes it back from a process that dies. Where a disk knows no locks work is done twice, no more.
        """
        claim = FileLock(self._shards / f"{first // shard * shard:012d}.lock", timeout=0)
        try:
            return claim.acquire().lock
        except Timeout:
            return None


def _make(campaign: Campaign, first: int, stop: int, key: str, threads: int | None) -> int:
    """Compute and write one file, in this process or on a worker of Dask; return how many simulations it holds."""
    theta, x = campaign.simulate(first, stop, threads)
    summarise = campaign.summarise
    statistics = summarise.names if isinstance(summarise, Summary) else tuple(map(str, range(x.shape[1])))
    write_shard(campaign.folder / "shards", key, first, theta, x, campaign.prior.names, statistics)
    return stop - first


def _check_writable(folder: Path) -> None:
    try:
        with tempfile.TemporaryFile(dir=folder):
            return
    except OSError as error:
        raise OSError(error.errno, f"{folder} cannot be written ({error.strerror})") from None


def _let_go(claim: FileLock) -> None:
    with suppress(OSError):  # a process that waits for this file finds it gone, and makes a new one
        Path(claim.lock_file).unlink(missing_ok=True)
    claim.release()


@contextmanager
def _workers(client: Any, threads: int | None) -> Iterator[tuple[Executor, Callable[[], int], int | None]]:
    """Who computes, how many files may be begun at a time, and on how many threads each of them is made.

    Here one file after the other: each is computed on all cores, and written in a hundredth of the time. On Dask a file
    for every thread of every worker. As many wait, so that nobody is idle.
    """
    if client is None:
        with ThreadPoolExecutor(1) as pool:
            yield pool, lambda: 2, threads
    else:
        yield client.get_executor(pure=False), lambda: 2 * max(1, sum(client.ncores().values())), 1


@contextmanager
def _bar(number: int, gaps: list[tuple[int, int]], progress: bool) -> Iterator[tqdm]:
    left = sum(stop - first for first, stop in gaps)
    with tqdm(total=number, initial=number - left, unit="sim", unit_scale=True, disable=not progress) as bar:
        yield bar


def _cells(gaps: list[tuple[int, int]], shard: int) -> Iterator[tuple[int, int]]:
    """The ranges that are missing, cut at multiples of `shard`."""
    for first, stop in gaps:
        while first < stop:
            end = min(stop, (first // shard + 1) * shard)
            yield first, end
            first = end
