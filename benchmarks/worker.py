"""Each measurement lives in a process of its own.

So peers cannot disturb each other's settings (threads, precision, denormals), and one that crashes costs one line of
the table. A worker sets its peer up, lets it answer a question with a known answer, and then runs it whenever asked.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np

from .peer import Peer
from .workloads import (
    CORTICAL,
    SINGLE_STEPS,
    TRAINING_STEPS,
    WrongAnswer,
    check_prior,
    check_single,
    check_training,
    draw_conductances,
)

SHORTEST = 0.3  # s; what takes less is called several times in a row
MAX_WAIT = 600  # s without an answer


class Failed(Exception):
    """A peer that cannot be timed; the text is the reason."""


@dataclass(frozen=True)
class Ready:
    """What a worker says once it has answered right.

    said: the answer, in words.
    first: time until it was there, with all that is done only once [s].
    neuron_steps: steps in a call, of all neurons together.
    """

    said: str
    first: float
    neuron_steps: int


class Worker:
    """A peer, ready to be timed on one workload ("training" or "single"). Use it in a `with` statement.

    Raises Failed, as `time` does, if the peer cannot run or answers wrong.
    """

    def __init__(self, peer: Peer, workload: str, quick: bool = False) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_work, args=(theirs, peer, workload, quick))
        self.process.start()
        theirs.close()
        try:
            self.ready: Ready = self._answer()
        except BaseException:
            self.close()
            raise

    def time(self) -> float:
        """Seconds per call, now."""
        self.connection.send("go")
        return self._answer()

    def close(self) -> None:
        self.connection.close()  # the worker ends when it notices
        self.process.join(30)  # a call that runs may end
        if self.process.is_alive():
            self.process.kill()
            self.process.join()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _answer(self) -> Any:
        if not self.connection.poll(MAX_WAIT):
            raise Failed(f"no answer within {MAX_WAIT} s")
        try:
            answer = self.connection.recv()
        except EOFError:
            self.process.join(5)
            raise Failed(f"its process ended with exit status {self.process.exitcode}") from None
        if isinstance(answer, str):
            raise Failed(answer)
        return answer


def _work(connection: Connection, peer: Peer, workload: str, quick: bool) -> None:
    """The worker's side: sends a `Ready` and then a time for each "go", or a reason (str) and ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that waits: it closes the pipe
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # peers print as they please; the table is ours
    if not os.environ.get("BENCHMARKS_VERBOSE"):
        os.dup2(sys.stdout.fileno(), sys.stderr.fileno())
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        tempfile.tempdir = folder  # what peers compile goes here, and away at the end
        _serve(connection, peer, workload, quick)


def _serve(connection: Connection, peer: Peer, workload: str, quick: bool) -> None:
    try:
        prepare = {"training": _training, "single": _single}[workload]
        begin = perf_counter()
        simulate, first_answer, check_first, check_later, neuron_steps = prepare(peer, quick)
        ready = Ready(check_first(first_answer()), perf_counter() - begin, neuron_steps)
        connection.send(ready)
        while connection.recv() == "go":
            seconds, answer = _time(simulate)
            check_later(answer)
            connection.send(seconds)
    except (EOFError, BrokenPipeError):
        return
    except WrongAnswer as wrong:
        connection.send(f"wrong answer: {wrong}")
    except Exception as error:
        traceback.print_exc()
        connection.send(f"{type(error).__name__}: {next(iter(str(error).splitlines()), '')}")


def _training(peer: Peer, quick: bool) -> tuple[Any, ...]:
    assert peer.training is not None
    n = peer.quick_n if quick else peer.n
    simulate = peer.training(n)
    drawn = draw_conductances(n)
    return (
        lambda: simulate(*drawn, CORTICAL.noise),
        lambda: simulate(np.full(n, 50.0), np.full(n, 5.0), 0.0),
        check_training,
        check_prior,
        n * TRAINING_STEPS,
    )


def _single(peer: Peer, quick: bool) -> tuple[Any, ...]:
    assert peer.single is not None
    simulate = peer.single()
    return simulate, simulate, check_single, check_single, SINGLE_STEPS


def _time(simulate: Callable[[], np.ndarray]) -> tuple[float, np.ndarray]:
    """Mean time of a call [s], over as many calls as make it long enough to measure, and the last answer."""
    begin, calls = perf_counter(), 0
    while True:
        answer = simulate()
        calls += 1
        elapsed = perf_counter() - begin
        if elapsed >= SHORTEST:
            return elapsed / calls, answer
