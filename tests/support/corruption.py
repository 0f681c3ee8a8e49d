"""Damage done to files, and readers run on damaged files in processes of their own.

HDF5 and its like are compiled code: a damaged file may crash the process that reads it, hang, or ask for all memory.
So each worker is forked, may take only so much memory and time, and what becomes of it is part of the answer.
"""

# ruff: noqa: E501

import dataclasses
import multiprocessing
import os
import resource
import signal
import struct
import traceback
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

MEMORY = 2**30  # bytes that a reader may take beyond what the process has when it starts
LONGEST = 10  # s, for one file


def damaged(whole: bytes, kind: str, random: np.random.Generator) -> bytes:
    """The bytes of a file with one kind of damage at a random place; most damage is done to its first 8 kB."""
    data = bytearray(whole)
    size = len(data)
    near = int(random.integers(0, min(size, 8192)))
    place = near if random.random() < 0.7 else int(random.integers(0, size))
    length = int(min(size - place, 2 ** random.integers(0, 12)))
    if kind == "cut short":
        return bytes(data[: int(random.integers(0, size))])
    if kind == "bits flipped":
        for spot in (place, *random.integers(0, size, random.integers(0, 4))):
            data[spot] ^= 1 << int(random.integers(0, 8))
    elif kind == "zeroed":
        data[place : place + length] = bytes(length)
    elif kind == "scrambled":
        data[place : place + length] = random.bytes(length)
    elif kind == "swapped":
        other = int(random.integers(0, size - length + 1))
        data[place : place + length], data[other : other + length] = (
            data[other : other + length], data[place : place + length],
        )  # fmt: skip
    elif kind == "a number replaced":
        number = random.choice([0, 1, -1, 2**31 - 1, -(2**31), 2**16, 10**6])
        form = [struct.pack("<i", number), struct.pack("<h", int(np.int16(number & 0x7FFF))),
                struct.pack("<f", random.choice([np.nan, np.inf, -np.inf, 0.0, 1e30, -1.0]))][random.integers(0, 3)]  # fmt: skip
        place -= place % len(form)
        data[place : place + len(form)] = form
    elif kind == "inserted":
        data[place:place] = random.bytes(length)
    elif kind == "removed":
        del data[place : place + length]
    else:
        raise ValueError(f"damage {kind!r}")
    return bytes(data)


KINDS = ("cut short", "bits flipped", "zeroed", "scrambled", "swapped", "a number replaced", "inserted", "removed")


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of one damaged file. verdict: "read", "refused", or what went wrong."""

    number: int
    kind: str
    verdict: str


def outcomes(
    judge: Callable[[Path], str], whole: Sequence[bytes], ending: str, numbers: Sequence[int], folder: Path
) -> list[Outcome]:
    """Damage files in as many ways as there are `numbers`, and let `judge` read each; it returns a verdict.

    A worker that dies is replaced, and the file that it died of gets the verdict.
    """
    results, todo = [], list(numbers)
    context = multiprocessing.get_context("fork")
    while todo:
        receiving, sending = context.Pipe(duplex=False)
        worker = context.Process(target=_work, args=(sending, judge, whole, ending, todo, folder))
        worker.start()
        sending.close()
        done, why = 0, "crashed"
        while done < len(todo):
            if not receiving.poll(2 * LONGEST):
                why = f"hung for more than {2 * LONGEST} s"
                break
            try:
                results.append(receiving.recv())
            except EOFError:
                break
            done += 1
        if worker.is_alive() and done < len(todo):
            worker.kill()
        worker.join()
        if done < len(todo):
            kind = KINDS[todo[done] % len(KINDS)]
            results.append(Outcome(todo[done], kind, f"{why} (exit code {worker.exitcode})"))
            done += 1
        todo = todo[done:]
    return results


def damaged_file(number: int, whole: Sequence[bytes]) -> tuple[str, bytes]:
    """Kind and bytes of the damaged file of this number: always the same."""
    kind = KINDS[number % len(KINDS)]
    return kind, damaged(whole[number // len(KINDS) % len(whole)], kind, np.random.default_rng(number))


def _work(sending: Any, judge: Callable, whole: Sequence[bytes], ending: str, numbers: list[int], folder: Path) -> None:
    with open("/proc/self/statm") as pages:
        taken = int(pages.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY, taken + MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # what HDF5 prints
    signal.signal(signal.SIGALRM, _too_long)
    path = folder / f"damaged{ending}"
    for number in numbers:
        kind, content = damaged_file(number, whole)
        path.write_bytes(content)
        signal.setitimer(signal.ITIMER_REAL, LONGEST)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                verdict = judge(path)
        except BaseException as error:  # whatever it is, it is no answer
            place = traceback.extract_tb(error.__traceback__)[-1]
            verdict = f"{type(error).__name__}: {str(error)[:200]} ({Path(place.filename).name}:{place.lineno})"
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        sending.send(Outcome(number, kind, verdict))
    sending.close()
    os._exit(0)


def _too_long(*_: object) -> None:
    raise TimeoutError(f"more than {LONGEST} s")
