"""Published recordings: fetched by name, downloaded once, their content checked by hash."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from helpers.cache import cache_folder
from helpers.simulation.trace import Trace
from helpers.validation import one_of

from .reading import read

__all__ = ["RECORDINGS", "PublishedRecording", "RecordingUnavailable", "fetch", "load"]

# The repository of pyABF (Scott Harden), MIT licence, and of Myokit (Clerx et al. 2016, Prog Biophys Mol Biol 120:100),
# BSD licence.
PYABF = "https://raw.githubusercontent.com/swharden/pyABF/3ad9cd6f2cdfe79bc1978736ab46314866ca1c4c/data/abfs/"
MYOKIT = "https://raw.githubusercontent.com/myokit/myokit/a71fb9a5018cbd8986549a63a4e133a5dd4861b8/"
TIMEOUT = 5.0  # s; an offline machine should not wait longer


@dataclass(frozen=True)
class PublishedRecording:
    """A published recording.

    Parameters
    ----------
    name : str
        Its name in `RECORDINGS`.
    file, sha256 : str
        The name of the file and the hash of its content.
    description : str
        What was recorded.
    address : str
        The web folder from which it is downloaded.
    package, folder : str
        An installed package that contains the file, and the folder inside that package.
    """

    name: str
    file: str
    sha256: str
    description: str
    address: str = PYABF
    package: str = ""
    folder: str = ""


RECORDINGS: Mapping[str, PublishedRecording] = {
    entry.name: entry
    for entry in (
        PublishedRecording(
            "regular_spiking",
            "171116sh_0018.abf",
            "9042a1162d18a47fbbe83ea1c0817142d3ae21f6f6060195ff18d35358f6e8c7",
            "regular-spiking cell in current clamp, 17 sweeps of 0.5 s steps from -100 to +300 pA by 25",
        ),
        PublishedRecording(
            "fast_spiking",
            "2019_07_24_0055_fsi.abf",
            "4666e82da3e0cc33b579fea285901a7f48b54a8c0cb8143b9c539d65172709b6",
            "fast-spiking interneuron in current clamp, 17 sweeps of 0.5 s steps from -100 to +300 pA by 25",
        ),
        PublishedRecording(
            "voltage_clamp",
            "171116sh_0013.abf",
            "97cc2ccedcf0fddfff30e887732612467ddc4e1635834ec0f68f371492c72704",
            "a cell in voltage clamp, 13 sweeps; it can be fetched but not read as a membrane potential",
        ),
        PublishedRecording(
            "sodium_currents",
            "abf-v2.abf",
            "a1431b4bc360653c2213d4188c3d993dd5c55a0012ceaeacb50810f5d15c64c2",
            "sodium currents in voltage clamp, 37 steps from -120 mV; see helpers.recordings.voltage_clamp. The file "
            "gives the year (2016) and the program (Clampex), but neither the cell nor the temperature",
            address=f"{MYOKIT}myokit/tests/data/formats/",
            package="myokit",
            folder="tests/data/formats",
        ),
    )
}


class RecordingUnavailable(OSError):
    """A published recording is neither on this machine nor can it be downloaded now."""


def fetch(name: str) -> Path:
    """Return the path of a published recording, downloaded if necessary.

    The file is looked for in the folder named by the environment variable PYHH_RECORDINGS, then in an installed
    package that contains it. If the variable is not set, it is downloaded once into the cache folder (see
    `helpers.cache`). The hash of the file is checked each time.

    Parameters
    ----------
    name : str
        One of `RECORDINGS`.

    Returns
    -------
    Path

    Raises
    ------
    RecordingUnavailable
        If the file is in none of these places.
    ValueError
        For an unknown name, a wrong hash, or if PYHH_RECORDINGS does not name a folder.
    """
    recording = RECORDINGS[one_of("recording", name, RECORDINGS)]
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


def _downloaded(recording: PublishedRecording) -> Path:
    import pooch  # here, because only this function needs it

    pooch.get_logger().setLevel("WARNING")  # pooch announces each download otherwise
    cache = pooch.create(cache_folder("recordings"), recording.address, registry={recording.file: recording.sha256})
    try:
        return Path(cache.fetch(recording.file, downloader=pooch.HTTPDownloader(timeout=TIMEOUT)))
    except OSError as error:
        raise RecordingUnavailable(
            f"recording {recording.name!r} is not on this machine and {recording.file} cannot be downloaded now "
            f"({type(error).__name__}); connect, or set PYHH_RECORDINGS to a folder that contains the file"
        ) from None
    except ValueError:
        raise ValueError(f"the download of {recording.file} was discarded: its SHA-256 hash differs") from None


def load(name: str, sweep: int = 0) -> Trace:
    """Return one sweep of a published current-clamp recording: `read(fetch(name), sweep)`."""
    return read(fetch(name), sweep)
