"""Whatever breaks, a campaign that is run again has the same bytes as one that nothing happened to, or says why not.

Each fault is tried a few times here, and many times by `./setup_pyhh.sh test long`, which ends with a table. Processes
are real and are killed with signal 9; a full disk is a small file system where one may be mounted, and otherwise an
error at the very call; a read-only folder is one of another user.
"""

from __future__ import annotations

import errno
import itertools
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import pytest
from support.campaigns import (
    NUMBER,
    SHARD,
    files,
    process,
    serve_cluster,
    small,
    work,
    work_as_another_user,
    work_on_a_small_disk,
    work_on_dask,
)

from helpers.campaigns import shards
from helpers.campaigns.simulations import Simulations

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kills processes")


def times(short: int, long: int) -> pytest.MarkDecorator:
    """How often a fault is tried here and in the long form."""
    return pytest.mark.parametrize("tries", [short, pytest.param(long, marks=pytest.mark.long)])


@dataclass
class Row:
    """One line of the table. wrong: simulations with other bits than they should have, or counted twice."""

    fault: str
    tried: int = 0
    lost: int = 0
    wrong: int = 0
    outcome: str = "same bytes"


@pytest.fixture(scope="module")
def table(request: pytest.FixtureRequest) -> Iterator[list[Row]]:
    """What happened, printed at the end."""
    rows: list[Row] = []
    yield rows
    say = request.config.pluginmanager.get_plugin("terminalreporter").write_line
    with request.config.pluginmanager.get_plugin("capturemanager").global_and_fixture_disabled():
        for line in ("", "| fault | times tried | lost | wrong | in the end |", "| --- | ---: | ---: | ---: | --- |"):
            say(line)
        for row in rows:
            say(f"| {row.fault} | {row.tried} | {row.lost} | {row.wrong} | {row.outcome} |")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The campaign to which nothing happened."""
    folder = tmp_path_factory.mktemp("undisturbed")
    small(folder).run(NUMBER, shard=SHARD)
    return folder


@pytest.fixture
def judge(undisturbed: Path, table: list[Row]) -> Callable[..., None]:
    """Compare what a folder holds after a fault and another run with the undisturbed campaign, and note it."""
    expected = files(undisturbed)
    theta, x = Simulations(undisturbed).read()

    def compare(fault: str, folder: Path, same_files: bool = True, outcome: str = "same bytes") -> None:
        if not any(row.fault == fault for row in table):
            table.append(Row(fault, outcome=outcome))
        row, made = next(row for row in table if row.fault == fault), Simulations(folder)
        row.tried += 1
        row.lost += NUMBER - made.kept
        bits = [np.concatenate(pair, axis=1) for pair in (made.read(), (theta, x))]
        row.wrong += int((bits[0] != bits[1]).any(axis=1).sum()) + len(bits[0]) - NUMBER
        assert row.lost == row.wrong == 0 and made.verify() == []
        if same_files:
            assert files(folder) == expected

    return compare


@pytest.fixture
def chance(tries: int) -> random.Random:
    return random.Random(tries)


def wait_for(condition: Callable[[], object], seconds: float = 300.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.002)


def copy_of(undisturbed: Path, folder: Path) -> Path:
    return Path(shutil.copytree(undisturbed, folder))


def run_again(folder: Path) -> None:
    """What a user does after a fault. A damaged file comes with a warning, which the tests of damage look at."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "[0-9]+ damaged, to be regenerated")
        small(folder).run(NUMBER, shard=SHARD)


# ------------------------------------------------------------------------------------------------- processes that die


@times(2, 50)
def test_two_processes_killed_at_a_random_moment(tries, chance, tmp_path, judge):
    for number in range(tries):
        folder = tmp_path / str(number)
        both = [process(work, folder) for _ in range(2)]
        wait_for(lambda folder=folder: (folder / "shards").exists())
        time.sleep(chance.uniform(0.0, 1.5))
        for one in both:
            one.kill()
            one.join()
        run_again(folder)
        judge("kill -9 of two processes in one folder", folder)
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Dask cluster of two processes."""
    told = tmp_path_factory.mktemp("cluster") / "address"
    server = process(serve_cluster, told)
    wait_for(told.exists)
    yield told.read_text()
    os.killpg(server.pid, signal.SIGKILL)
    server.join()


def begun_on(cluster: str, place: Path) -> tuple[Path, Any, list[int]]:
    """A campaign that has just begun on a cluster: its folder, its process, and the numbers of its workers."""
    folder, told = place / "campaign", place / "pids"
    place.mkdir()
    one = process(work_on_dask, folder, cluster, told)
    wait_for(lambda: told.exists() and (folder / "shards").exists())
    return folder, one, [int(pid) for pid in told.read_text().split()]


@times(1, 50)
def test_a_campaign_on_a_cluster_killed_at_a_random_moment(tries, chance, cluster, tmp_path, judge):
    """Its own process and both workers; the cluster brings up new ones."""
    for number in range(tries):
        folder, one, workers = begun_on(cluster, tmp_path / str(number))
        time.sleep(chance.uniform(0.0, 1.5))
        one.kill()
        for pid in workers:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        one.join()
        run_again(folder)
        judge("kill -9 of a campaign and of its 2 Dask workers", folder)
        shutil.rmtree(folder)


@times(1, 20)
def test_a_worker_of_a_cluster_dies_and_the_campaign_goes_on(tries, chance, cluster, tmp_path, judge):
    for number in range(tries):
        folder, one, workers = begun_on(cluster, tmp_path / str(number))
        time.sleep(chance.uniform(0.0, 0.5))
        os.kill(chance.choice(workers), signal.SIGKILL)
        one.join(300)
        assert one.exitcode == 0
        judge("kill -9 of one of 2 Dask workers, no second run", folder)
        shutil.rmtree(folder)


@times(1, 20)
def test_killed_while_it_is_extended_with_other_files(tries, chance, tmp_path, judge):
    """5,100 simulations are there; a larger campaign in larger files begins, dies, and is run in files of 250."""
    start = tmp_path / "start"
    small(start).run(5100, shard=300)
    for number in range(tries):
        folder = copy_of(start, tmp_path / str(number))
        one = process(work, folder, NUMBER, 700)
        time.sleep(chance.uniform(0.0, 1.5))
        one.kill()
        one.join()
        run_again(folder)
        judge("kill -9 while it is extended, files of other sizes", folder, same_files=False)


# --------------------------------------------------------------------------------------------- what the disk may do


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 300 KB."""
    folder = tmp_path / "small disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", folder], capture_output=True).returncode:
        pytest.skip("no file system can be mounted here; the other test of a full disk does not need one")
    yield folder
    subprocess.run(["umount", folder], check=True)


@times(1, 5)
def test_a_disk_that_fills_up(tries, small_disk, tmp_path, judge):
    for number in range(tries):
        folder, said = small_disk / str(number), tmp_path / f"said {number}"
        one = process(work_on_a_small_disk, folder, said)
        one.join()
        assert "No space left on device" in said.read_text() and "written before is kept" in said.read_text()
        kept = Simulations(folder).kept
        assert 0 < kept < NUMBER
        for name in files(folder):
            assert not name.endswith(".part")
        subprocess.run(["mount", "-o", "remount,size=8m", small_disk], check=True)
        run_again(folder)
        judge("disk full (tmpfs of 300 KB)", folder)
        shutil.rmtree(folder)
        subprocess.run(["mount", "-o", "remount,size=300k", small_disk], check=True)


class Filling:
    """A file on a disk that is full after half of what is written, when `full` says so."""

    def __init__(self, file: IO[bytes], full: Callable[[], None]) -> None:
        self.file, self.full, self.flush, self.fileno = file, full, file.flush, file.fileno

    def __enter__(self) -> Filling:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def write(self, data: bytes) -> None:
        self.file.write(data[: len(data) // 2])
        self.full()
        self.file.write(data[len(data) // 2 :])


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
@times(1, 20)
def test_no_space_at_any_call(tries, call, chance, tmp_path, judge, monkeypatch):
    """No space is left at a random one of the calls by which files are written, half of a file included."""
    for number in range(tries):
        folder, left = tmp_path / str(number), chance.randrange(1, NUMBER // SHARD)

        def full() -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise OSError(errno.ENOSPC, "No space left on device")

        def opened(path: Path, mode: str, full: Callable[[], None] = full) -> Filling:
            return Filling(open(path, mode), full) if mode == "xb" else open(path, mode)

        def patched(*arguments: object, full: Callable[[], None] = full, original: Any = getattr(os, call)) -> object:  # noqa: B008
            full()
            return original(*arguments)

        with monkeypatch.context() as patch, pytest.raises(OSError, match="No space left") as caught:
            if call == "write":
                patch.setattr(shards, "open", opened, raising=False)
            else:
                patch.setattr(os, call, patched)
            small(folder).run(NUMBER, shard=SHARD)
        assert "written before is kept" in caught.value.__notes__[0]
        run_again(folder)
        judge("ENOSPC at a random write, fsync or rename", folder)
        shutil.rmtree(folder)


def damaged(chance: random.Random, folder: Path, how: str) -> Path:
    """Damage a random file of simulations."""
    path = chance.choice(sorted((folder / "shards").glob("*.parquet")))
    data = bytearray(path.read_bytes())
    if how == "truncated":
        del data[chance.randrange(len(data)) :]
    else:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("how", ["truncated", "one bit flipped"])
@times(3, 200)
def test_a_damaged_file_is_refused_named_and_made_anew(tries, how, chance, undisturbed, tmp_path, judge):
    folder = copy_of(undisturbed, tmp_path / "campaign")
    for _ in range(tries):
        path = damaged(chance, folder, how)
        first, stop = (int(part) for part in path.name.split("-")[:2])
        with pytest.raises(ValueError, match=f"{path.name} is damaged"):
            Simulations(folder).read(first, stop)
        with pytest.raises(ValueError, match=f"{path.name} is damaged"):
            Simulations(folder).x[first:stop].compute(scheduler="synchronous")
        found = Simulations(folder).verify()
        assert len(found) == 2 and found[0].startswith(f"{path.name}: damaged")
        assert found[1] == f"simulations {first} to {stop - 1}: missing"
        with pytest.warns(UserWarning, match=f"1 damaged, to be regenerated: {path.name}"):
            small(folder).run(NUMBER, shard=SHARD)
        judge(f"a file {how}", folder, outcome="refused; regenerated: same bytes")


@times(2, 20)
def test_a_file_that_is_gone_is_missed(tries, chance, undisturbed, tmp_path, judge):
    folder = copy_of(undisturbed, tmp_path / "campaign")
    for _ in range(tries):
        path = chance.choice(sorted((folder / "shards").glob("*.parquet")))
        path.unlink()
        with pytest.raises(
            ValueError, match=f"{SHARD} of the 10,000 simulations are not there, from {int(path.name[:12])}"
        ):
            Simulations(folder).read()
        assert Simulations(folder).kept == NUMBER - SHARD
        run_again(folder)
        judge("a file deleted", folder, outcome="refused; regenerated: same bytes")


@times(4, 200)
def test_a_damaged_manifest_is_refused_and_written_anew(tries, chance, undisturbed, tmp_path, judge):
    folder = copy_of(undisturbed, tmp_path / "campaign")
    path = folder / "campaign.json"
    whole = path.read_bytes()
    for number in range(tries):
        data = bytearray(whole)
        if number % 2:
            del data[chance.randrange(len(data)) :]
        else:
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        path.write_bytes(data)
        with pytest.raises(ValueError, match=r"campaign.json is damaged \(.*: remove it"):
            small(folder).run(NUMBER, shard=SHARD)
        path.unlink()
        run_again(folder)
        judge("manifest truncated or one bit flipped", folder, outcome="refused; taken away: same bytes")


@times(2, 20)
def test_the_time_of_a_file_does_not_matter(tries, chance, undisturbed, tmp_path, judge, monkeypatch):
    """Neither that of a file nor that of the clock, which here goes back by an hour whenever it is asked."""
    folder = copy_of(undisturbed, tmp_path / "campaign")
    hours = itertools.count()
    monkeypatch.setattr(time, "time", lambda: 1.8e9 - 3600.0 * next(hours))
    monkeypatch.setattr(time, "time_ns", lambda: int(1e9 * time.time()))
    for _ in range(tries):
        for path in chance.sample(sorted((folder / "shards").glob("*.parquet")), 10):
            path.unlink()
        for path in folder.rglob("*"):
            os.utime(path, (chance.uniform(0, 4e9),) * 2)
        run_again(folder)
        judge("clock going back; files from the future", folder)


# ------------------------------------------------------------------------------------------------- others in the folder


@times(1, 20)
def test_two_processes_share_the_work(tries, tmp_path, judge):
    for number in range(tries):
        folder, log = tmp_path / str(number), tmp_path / f"log {number}"
        both = [process(work, folder, NUMBER, SHARD, log) for _ in range(2)]
        for one in both:
            one.join()
            assert one.exitcode == 0
        ranges = [tuple(map(int, line.split())) for line in log.read_text().splitlines()]
        assert sorted(ranges) == [(first, first + SHARD) for first in range(0, NUMBER, SHARD)], "made exactly once"
        judge("two processes in one folder", folder)


@times(1, 10)
def test_two_processes_with_files_of_different_sizes(tries, tmp_path, judge):
    """They may overlap; every simulation counts once."""
    for number in range(tries):
        folder = tmp_path / str(number)
        both = [process(work, folder, NUMBER, shard) for shard in (250, 340)]
        for one in both:
            one.join()
            assert one.exitcode == 0
        judge("two processes, files of different sizes", folder, same_files=False)


@pytest.mark.parametrize("tries", [1, pytest.param(20, marks=pytest.mark.long)])
def test_another_campaign_is_refused(tries, chance, undisturbed, tmp_path, judge):
    folder = copy_of(undisturbed, tmp_path / "campaign")
    for _ in range(tries):
        changes = chance.choice([{"seed": chance.randrange(8, 99)}, {"dt": 0.025}, {"duration": 60.0}])
        with pytest.raises(
            ValueError, match=r"holds another campaign \((seed|dt|duration) .*, now .*\): choose another"
        ):
            small(folder, **changes).run(NUMBER, shard=SHARD)
        judge("two campaigns in one folder", folder, outcome="refused, same bytes")


def test_a_file_of_another_campaign_is_refused(undisturbed, tmp_path):
    folder, other = copy_of(undisturbed, tmp_path / "campaign"), tmp_path / "other"
    small(other, seed=8).run(SHARD, shard=SHARD)
    (folder / "shards" / f"{0:012d}-{SHARD:012d}-").parent.joinpath(
        next(name for name in os.listdir(folder / "shards") if name.startswith(f"{0:012d}"))
    ).unlink()
    stranger = shutil.copy(next((other / "shards").glob("*.parquet")), folder / "shards")
    with pytest.raises(ValueError, match="belongs to another campaign"):
        Simulations(folder).read()
    with pytest.raises(ValueError, match="is of another campaign.*: remove it"):
        small(folder).run(NUMBER, shard=SHARD)
    assert "of another campaign" in Simulations(folder).verify()[0]
    Path(stranger).unlink()
    run_again(folder)
    assert files(folder) == files(undisturbed)


def test_what_was_left_after_the_last_file_was_written_goes(undisturbed, tmp_path):
    """A process may die with nothing left to make, but before it has tidied up."""
    folder = copy_of(undisturbed, tmp_path / "campaign")
    for name in (f"{NUMBER - SHARD:012d}.lock", f".{0:012d}-{SHARD:012d}-0123456789abcdef-0123.part"):
        (folder / "shards" / name).write_bytes(b"")
    assert len(files(folder)) == len(files(undisturbed)) + 2
    run_again(folder)
    assert files(folder) == files(undisturbed)


@times(1, 5)
def test_a_folder_that_may_only_be_read(tries, undisturbed, judge):
    for _ in range(tries):
        with tempfile.TemporaryDirectory(prefix="pyhh-") as base:
            place = Path(base)
            place.chmod(0o755)
            whole, part = (copy_of(undisturbed, place / name) for name in ("whole", "part"))
            sorted((part / "shards").glob("*.parquet"))[5].unlink()
            (whole / "shards" / f"{0:012d}.lock").touch()
            for path in (*whole.rglob("*"), *part.rglob("*"), whole, part):
                path.chmod(0o555 if path.is_dir() else 0o444)
            said = {}
            for folder in (whole, part):
                before = files(folder)
                with tempfile.TemporaryDirectory() as notes:
                    one = process(work_as_another_user, folder, NUMBER, Path(notes) / "said")
                    one.join()
                    said[folder] = (Path(notes) / "said").read_text()
                assert files(folder) == before
            assert said[whole] == f"read {NUMBER}, verified []"
            assert "cannot be written" in said[part]
            for path in (part, part / "shards"):
                path.chmod(0o755)
            run_again(part)
            judge("a folder that may only be read", part, outcome="refused; allowed again: same bytes")
