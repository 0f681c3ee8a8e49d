"""Recordings: read one from a file, or fetch a published one by name.

Every reader returns a `Trace` with t in ms, V in mV and I in pA (µA/cm² where a CSV file says so). Current clamp only:
in voltage clamp V is what was commanded, so there is no membrane potential to explain.

start and stop are those of the first stimulus: the first stretch in which I differs from its value at the start of
the sweep. A protocol may hold further pulses after `stop`; they stay in I (see `helpers.recordings.rig.crop`).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from helpers.cache import cache_folder
from helpers.simulation.trace import Trace

from .abf import count_abf, read_abf
from .csv import count_csv, read_csv, write_csv
from .nwb import count_nwb, read_nwb

__all__ = [
    "RECORDINGS",
    "Recording",
    "RecordingUnavailable",
    "fetch",
    "load",
    "number_of_sweeps",
    "read",
    "read_abf",
    "read_csv",
    "read_nwb",
    "write_csv",
]

# ---- A file: its ending tells the format

READERS: Mapping[str, Callable[..., Trace]] = {".abf": read_abf, ".nwb": read_nwb, ".csv": read_csv}
COUNTERS: Mapping[str, Callable[..., int]] = {".abf": count_abf, ".nwb": count_nwb, ".csv": count_csv}


def read(path: str | Path, sweep: int = 0) -> Trace:
    """Read one sweep of a recording: .abf (Axon), .nwb (Neurodata Without Borders) or .csv. Sweeps count from 0."""
    return _format(path, READERS)(path, sweep=sweep)


def number_of_sweeps(path: str | Path) -> int:
    """How many sweeps `read(path, sweep)` can read: sweep is 0 to this number minus 1."""
    return _format(path, COUNTERS)(path)


def _format(path: str | Path, choices: Mapping[str, Callable[..., Any]]) -> Callable[..., Any]:
    suffix = Path(path).suffix.lower()
    if suffix not in choices:
        raise ValueError(f"{Path(path).name} ends in {suffix!r}; allowed: {', '.join(choices)}")
    return choices[suffix]


# ---- A published recording, by name


# The repository of pyABF (Scott Harden), MIT licence, and of Myokit (Clerx et al. 2016, Prog Biophys Mol Biol 120:100),
# BSD licence.
PYABF = "https://raw.githubusercontent.com/swharden/pyABF/3ad9cd6f2cdfe79bc1978736ab46314866ca1c4c/data/abfs/"
MYOKIT = "https://raw.githubusercontent.com/myokit/myokit/a71fb9a5018cbd8986549a63a4e133a5dd4861b8/"


@dataclass(frozen=True)
class Recording:
    """A published recording: its name here, its file, the hash that the file must have, and what it is.

    address: where it is downloaded from. package: an installed package that brings it, and in which of its folders.
    """

    name: str
    file: str
    sha256: str
    description: str
    address: str = PYABF
    package: str = ""
    folder: str = ""


TIMEOUT = 5.0  # s; an offline machine should not wait longer
RECORDINGS: Mapping[str, Recording] = {
    entry.name: entry
    for entry in (
        Recording(
            "regular_spiking",
            "171116sh_0018.abf",
            "9042a1162d18a47fbbe83ea1c0817142d3ae21f6f6060195ff18d35358f6e8c7",
            "regular-spiking cell in current clamp, 17 sweeps of 0.5 s steps from -100 to +300 pA by 25",
        ),
        Recording(
            "fast_spiking",
            "2019_07_24_0055_fsi.abf",
            "4666e82da3e0cc33b579fea285901a7f48b54a8c0cb8143b9c539d65172709b6",
            "fast-spiking interneuron in current clamp, 17 sweeps of 0.5 s steps from -100 to +300 pA by 25",
        ),
        Recording(
            "voltage_clamp",
            "171116sh_0013.abf",
            "97cc2ccedcf0fddfff30e887732612467ddc4e1635834ec0f68f371492c72704",
            "a cell in voltage clamp, 13 sweeps; it can be fetched but not read as a membrane potential",
        ),
        Recording(
            "sodium_currents",
            "abf-v2.abf",
            "a1431b4bc360653c2213d4188c3d993dd5c55a0012ceaeacb50810f5d15c64c2",
            "sodium currents in voltage clamp, 37 steps from -120 mV; see helpers.recordings.voltage_clamp. The file "
            "says when (2016) and with what (Clampex), not from which cell and not at which temperature",
            address=f"{MYOKIT}myokit/tests/data/formats/",
            package="myokit",
            folder="tests/data/formats",
        ),
    )
}


class RecordingUnavailable(OSError):
    """A published recording is neither on this machine nor can it be downloaded now."""


def fetch(name: str) -> Path:
    """The file of a published recording, one of `RECORDINGS`.

    Taken from the folder that the environment variable PYHH_RECORDINGS names, or from an installed package that brings
    it; else, if the variable is not set, downloaded once and kept (see
    helpers/cache.py). The file's hash is checked each time.
    Raises RecordingUnavailable where the file is in none of these places; ValueError for an unknown name or a wrong
    hash, and when PYHH_RECORDINGS names a folder that is not there.
    """
    if name not in RECORDINGS:
        raise ValueError(f"no recording is called {name!r}; allowed: {', '.join(RECORDINGS)}")
    recording = RECORDINGS[name]
    folder = os.environ.get("PYHH_RECORDINGS")
    if folder and not Path(folder).expanduser().is_dir():
        raise ValueError(f"PYHH_RECORDINGS = {folder} is not a folder; unset it to download the recording instead")
    places = [Path(folder).expanduser() / recording.file] if folder else []
    if recording.package and (package := find_spec(recording.package)) and package.origin:
        places.append(Path(package.origin).parent / recording.folder / recording.file)
    for path in places:
        if path.is_file():
            if hashlib.sha256(path.read_bytes()).hexdigest() != recording.sha256:
                raise ValueError(f"{path} is not the published recording {name!r}: its SHA-256 hash differs")
            return path
    if folder:
        raise RecordingUnavailable(f"PYHH_RECORDINGS = {folder} has no {recording.file}; unset it to download the file")
    return _downloaded(recording)


def _downloaded(recording: Recording) -> Path:
    import pooch  # here, because only this function needs it

    pooch.get_logger().setLevel("WARNING")  # pooch announces each download otherwise
    shelf = pooch.create(cache_folder("recordings"), recording.address, registry={recording.file: recording.sha256})
    try:
        return Path(shelf.fetch(recording.file, downloader=pooch.HTTPDownloader(timeout=TIMEOUT)))
    except OSError as error:
        raise RecordingUnavailable(
            f"recording {recording.name!r} is not on this machine and {recording.file} cannot be downloaded now "
            f"({type(error).__name__}); connect, or set PYHH_RECORDINGS to a folder that holds the file"
        ) from None
    except ValueError:
        raise ValueError(f"the download of {recording.file} was discarded: its SHA-256 hash differs") from None


def load(name: str, sweep: int = 0) -> Trace:
    """One sweep of a published recording: `read_abf(fetch(name), sweep)`."""
    return read_abf(fetch(name), sweep)
