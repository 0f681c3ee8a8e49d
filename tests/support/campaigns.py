"""A small campaign, and processes that work on it: what the tests of campaigns share."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import helpers.campaigns.campaign
from helpers.campaigns.campaign import Campaign
from helpers.inference.priors import box_prior
from helpers.neurons.models import Pospischil
from helpers.simulation.stimuli import step

PRIOR = box_prior(Pospischil, ["g_Na", "g_K"])
NUMBER, SHARD = 10_000, 250


def small(folder: Path, **changes: Any) -> Campaign:
    """A campaign whose 10,000 simulations take about half a second."""
    given = {
        "folder": folder,
        "neuron": Pospischil(),
        "stimulus": step(3.0, 5.0, 45.0),
        "prior": PRIOR,
        "duration": 50.0,
        "dt": 0.0125,
        "seed": 7,
    }
    return Campaign(**given | changes)


def files(folder: Path) -> dict[str, bytes]:
    """Everything in the folder of a campaign by name, but for its lock."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "campaign.lock")
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def process(task: Callable[..., None], *arguments: Any) -> multiprocessing.Process:
    """A process of its own that has imported this module already, started."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["support.campaigns_ready"])
    here = Path(__file__).parents[1]
    os.environ["PYTHONPATH"] = os.pathsep.join(map(str, (here, here.parent)))  # the fork server asks for no other path
    started = context.Process(target=task, args=arguments)
    started.start()
    return started


def work(folder: Path, number: int = NUMBER, shard: int = SHARD, log: Path | None = None) -> None:
    """Run the small campaign on one thread. `log` gets a line for every file that is begun."""
    if log is not None:
        make = helpers.campaigns.campaign._make

        def logged(campaign: Campaign, first: int, stop: int, *rest: Any) -> int:
            with open(log, "a") as file:  # one write each: lines of two processes do not mix
                file.write(f"{first} {stop}\n")
            return make(campaign, first, stop, *rest)

        helpers.campaigns.campaign._make = logged
    small(folder).run(number, shard=shard, threads=1)


def work_as_another_user(folder: Path, number: int, said: Path) -> None:
    """The same as somebody who may read the folder but not write it; what goes wrong is written into `said`."""
    small(said.parent / "warm").run(SHARD, shard=SHARD)  # everything is compiled and imported while that is allowed
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        os.seteuid(65534)
    try:
        made = small(folder).run(number, shard=SHARD)
        text = f"read {len(made.read()[0])}, verified {made.verify()}"
    except BaseException as error:
        text = f"{type(error).__name__}: {error}"
        traceback.print_exc(file=sys.stderr)
    if hasattr(os, "geteuid"):
        os.seteuid(os.getuid())
    said.write_text(text)


def work_on_a_small_disk(folder: Path, said: Path) -> None:
    """Run the campaign where the disk is too small for it."""
    try:
        work(folder)
        text = "no error"
    except OSError as error:
        text = f"{error.strerror}; {'; '.join(error.__notes__)}"
    said.write_text(text)


def serve_cluster(told: Path) -> None:
    """A Dask cluster of two processes, until this one is killed; its address is written into `told`."""
    import dask
    from dask.distributed import LocalCluster
    from distributed.utils import get_mp_context

    os.setsid()  # a group of its own, so that all of it can be killed
    dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"})
    dask.config.set({"distributed.deploy.lost-worker-timeout": "3s"})
    get_mp_context().set_forkserver_preload(
        ["distributed", "support.campaigns_ready"]
    )  # a worker that died is soon replaced
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=50) as cluster:
        write(told, cluster.scheduler_address)
        while True:
            time.sleep(1.0)
            cluster.scale(2)  # a nanny whose worker is killed in its first moments gives up, and is replaced only so


def work_on_dask(folder: Path, address: str, told: Path, number: int = NUMBER) -> None:
    """Run the campaign on a Dask cluster; the numbers of its processes are written into `told`."""
    from dask.distributed import Client

    with Client(address) as client:
        client.wait_for_workers(2)
        client.run(compile_first, folder)
        write(told, " ".join(map(str, client.run(os.getpid).values())))
        small(folder).run(number, shard=SHARD, client=client)


def compile_first(folder: Path) -> None:
    """So that the moment of a death falls into the simulations, not into the imports."""
    small(folder).simulate(0, 10, threads=1)


def write(path: Path, text: str) -> None:
    part = path.with_suffix(".part")
    part.write_text(text)
    part.rename(path)
