"""Damaged recordings: each reader gives finite data or a ValueError that names the file, and nothing else happens."""

import struct
import subprocess
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from support.builders import nwb_file, step_trace
from support.corruption import KINDS, Outcome, damaged_file, outcomes

from helpers.recordings.published import fetch
from helpers.recordings.reading import number_of_sweeps, read
from helpers.recordings.text.writing import write_csv
from helpers.recordings.voltage_clamp import read_family

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="workers are forked, their memory limited by Linux")


def judge(path: Path) -> str:
    """Read every sweep of a file."""
    try:
        count = number_of_sweeps(path)
    except ValueError as refusal:
        return named(path, refusal)
    verdict = "read"
    for sweep in {0, count - 1}:
        try:
            with warnings_naming(path):
                trace = read(path, sweep)
        except ValueError as refusal:
            verdict = named(path, refusal)
        else:
            names = ("t", "V", "start", "stop", *(["I"] if trace.has_current else []))
            assert all(np.isfinite(getattr(trace, name)).all() for name in names)
            assert np.abs(trace.V).max() <= 1000.0 and len(trace.t) == len(trace.V)
            assert not trace.has_current or len(trace.I) == len(trace.t)
    return verdict


def judge_family(path: Path) -> str:
    """Read a family of currents."""
    try:
        with warnings_naming(path):
            family = read_family(path)
    except ValueError as refusal:
        return named(path, refusal)
    assert all(np.isfinite(getattr(family, name)).all() for name in ("t", "levels", "holding", "I", "end"))
    return "read"


@contextmanager
def warnings_naming(path: Path) -> Iterator[None]:
    """A warning may be given, if it names the file."""
    with warnings.catch_warnings(record=True) as given:
        warnings.simplefilter("always")
        yield
    assert all(str(one.message).startswith(path.name) for one in given), [str(one.message) for one in given]


def named(path: Path, refusal: ValueError) -> str:
    assert str(refusal).startswith(path.name), f"the file is not named: {refusal}"
    return "refused"


def current_clamp(whole: bytes, units: tuple[int, int], begin: int, count: int) -> bytes:
    """A real voltage-clamp file made into current clamp: both units exchanged in place, the samples a fifth as large.

    units: where those of the record and of the command stand. begin, count: of the samples, 16 bits each.
    """
    data = bytearray(whole)
    assert bytes(data[units[0] : units[0] + 2]) == b"pA" and bytes(data[units[1] : units[1] + 2]) == b"mV"
    data[units[0] : units[0] + 2], data[units[1] : units[1] + 2] = b"mV", b"pA"
    samples = np.frombuffer(whole, "<i2", count, begin) // 5
    data[begin : begin + 2 * count] = samples.astype("<i2").tobytes()
    return bytes(data)


def two_sweeps(whole: bytes) -> bytes:
    """The first two of the 37 sweeps of a real ABF 2 file, of 516 samples each: quicker to read."""
    data, samples = bytearray(whole), 2 * 516
    begin, (block, size, _) = 5632, struct.unpack_from("<IIq", whole, 316)  # of the lengths of the sweeps, behind
    assert struct.unpack_from("<IIq", whole, 236) == (begin // 512, 2, 37 * 516)
    end = begin + 512 * -(-2 * samples // 512)
    struct.pack_into("<I", data, 12, 2)
    struct.pack_into("<IIq", data, 236, begin // 512, 2, samples)
    struct.pack_into("<IIq", data, 316, end // 512, size, 2)
    lengths = whole[512 * block : 512 * block + 2 * size]
    return bytes(data[: begin + 2 * samples]).ljust(end, b"\0") + lengths.ljust(512, b"\0")


def abf_files() -> list[bytes]:
    """ABF 2 and 1 of the package myokit, 8 and 98 kB; as they are they are refused as voltage clamp."""
    second = two_sweeps(fetch("sodium_currents").read_bytes())
    first = (fetch("sodium_currents").parent / "abf-v1.abf").read_bytes()
    return [current_clamp(second, (4279, 4288), 5632, 1032), current_clamp(first, (602, 1346), 8192, 45_000)]


def nwb_files(folder: Path) -> list[bytes]:
    """A file of two sweeps that pynwb writes."""
    volts, amperes = -0.065 + 0.001 * np.sin(np.arange(300.0)), np.where(np.arange(300) // 100 == 1, 5e-11, 0.0)
    plain = [{"V": {"data": volts * k}, "I": {"data": amperes * k}} for k in (1, 2)]
    files = [nwb_file(folder / "a.nwb", plain)]
    return [path.read_bytes() for path in files]


def csv_files(folder: Path) -> list[bytes]:
    write_csv(step_trace(dt=1.0), folder / "a.csv")
    rows = "".join(f'{k / 10000:.4f},"{-0.065 + k % 7 * 1e-3:.4f}",{k // 20 % 2}\n' for k in range(80))
    sweeps = "".join(f"{k / 10:.1f};{-65 + k % 7},5;{-60 - k % 7},5;{k // 20 % 2 * 100}\n" for k in range(80))
    return [
        (folder / "a.csv").read_bytes(),
        ("\ufefft (s),V (V),I (nA)\n" + rows).encode(),
        ("Cell;12\nt;V1;V2;I\nms;mV;mV;pA\n" + sweeps.replace(".", ",")).encode("utf-16"),
    ]


def check(found: list[Outcome], cases: int) -> None:
    """No file did anything but be read or refused, and the damage was real: some files were refused, some not."""
    wrong = [one for one in found if one.verdict not in ("read", "refused")]
    assert not wrong, (
        f"{len(wrong)} of {len(found)}: {Counter(one.verdict for one in wrong).most_common(5)}; {wrong[:3]}"
    )
    assert len(found) == cases
    for part in (found, found[-cases // 4 :]):  # a reader that one file has broken refuses all that come after it
        verdicts = Counter(one.verdict for one in part)
        assert min(verdicts["read"], verdicts["refused"]) > len(part) // 100, verdicts
    refused = {one.kind for one in found if one.verdict == "refused"}
    assert refused >= set(KINDS) - {"bits flipped"}, refused  # a few bits of a long file may all be in the samples


FILES = {"abf": 2000, "family": 500, "nwb": 300, "csv": 2200}  # damaged ones of each; ten times as many in long
IN_EVERY_RUN = {"abf": 500, "family": 500, "nwb": 75, "csv": 550}


@pytest.mark.parametrize("what", FILES)
def test_damaged_files_are_read_or_refused_by_name(what, tmp_path, monkeypatch):
    attack(what, IN_EVERY_RUN[what], tmp_path, monkeypatch)


@pytest.mark.long
@pytest.mark.parametrize("what", FILES)
def test_more_damaged_files(what, tmp_path, monkeypatch):
    attack(what, 10 * FILES[what], tmp_path, monkeypatch)


def test_a_damaged_file_that_hangs_the_hdf5_library_is_refused(tmp_path, monkeypatch):
    """Why a process of its own reads each NWB file first: in this one, reading such a file would not end."""

    def examined(path: Path, seconds: float) -> subprocess.CompletedProcess:
        command = [sys.executable, "-X", "faulthandler", "-m", "helpers.recordings.hdf5", str(seconds)]
        return subprocess.run(command, input=f"{(str(path), ())!r}\n", capture_output=True, text=True)

    monkeypatch.setattr("helpers.recordings.hdf5.MAX_READING_TIME", 0.5)
    whole, path, hangs = nwb_files(tmp_path), tmp_path / "damaged.nwb", 0
    assert examined(tmp_path / "a.nwb", 60.0).stdout == "\n"  # nothing is wrong
    for number in (10, 26, 122):
        path.write_bytes(damaged_file(number, whole)[1])
        answer = examined(path, 0.5)
        hangs += "Timeout" in answer.stderr and answer.stdout == ""
        with pytest.raises(ValueError, match="damaged.nwb cannot be read as NWB"):
            read(path)
    assert hangs


def attack(what: str, cases: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("helpers.recordings.hdf5.MAX_READING_TIME", 2.0)  # these files are short
    if what in ("abf", "family"):
        whole = abf_files() if what == "abf" else [two_sweeps(fetch("sodium_currents").read_bytes())]
    else:
        whole = nwb_files(tmp_path) if what == "nwb" else csv_files(tmp_path)
    ending = ".abf" if what == "family" else f".{what}"
    check(outcomes(judge_family if what == "family" else judge, whole, ending, range(cases), tmp_path), cases)
