"""Fit a recorded cell from the command line: progress, a table, the verdict, and a report in results/NAME/.

  ./setup_pyhh.sh fit cell.abf --sweeps 0 8 11 14
  ./setup_pyhh.sh fit cell.abf --sweeps 0 8 11 14 --held-out 12 --junction-potential 14 --low-pass 10

After Ctrl-C, the same command goes on from there. The exit status is 0 whether the model passes or not, 2 for a file or
an option that cannot be used.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from .fit import BUDGET, fit_cell
from .sweeps import Measurement

SIMULATIONS = "simulations"  # a folder within that of the report


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; return its exit status."""
    options = _parser().parse_args(arguments)
    try:
        folder = options.folder or Path("results") / options.file.stem
        reading = {name: getattr(options, name) for name in ("channel", "start", "stop")}
        reading = {name: value for name, value in reading.items() if value is not None}
        fit = fit_cell(
            options.file, options.sweeps, held_out=options.held_out,
            measurement=Measurement(options.junction_potential, options.low_pass), seed=options.seed,
            budget=options.budget, folder=folder / SIMULATIONS, **reading,
        )  # fmt: skip
        print(fit)
        print(f"\nreport: {fit.report(folder)}")
    except KeyboardInterrupt:
        print("stopped: the same command goes on from here", file=sys.stderr)
        return 130
    except (OSError, ValueError, TypeError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./setup_pyhh.sh fit", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add, default = parser.add_argument, Measurement()
    add("file", type=Path, help="a recording in current clamp, in any format of helpers.recordings.read")
    add("--sweeps", nargs="+", type=_number_or_name, metavar="SWEEP",
        help="numbers or names (default: chosen, and said)")  # fmt: skip
    add("--held-out", nargs="*", type=_number_or_name, metavar="SWEEP",
        help="that only test the result; without any: none (default: chosen, and said)")  # fmt: skip
    add("--junction-potential", type=float, default=default.junction_potential, metavar="MV",
        help="subtracted from V [mV] (default %(default)s)")  # fmt: skip
    add("--low-pass", type=float, default=default.low_pass, metavar="KHZ", help="filter of the amplifier [kHz]")
    add("--channel", type=_number_or_name, help="the one that holds V, by number or name")
    add("--start", type=float, metavar="MS", help="of the step [ms], where the file does not tell")
    add("--stop", type=float, metavar="MS", help="of the step [ms], where the file does not tell")
    add("--seed", type=int, default=0, help="of everything random (default %(default)s)")
    add("--budget", type=int, default=BUDGET, help="most simulations (default %(default)s)")
    add("--folder", type=Path, help="of the report and the simulations (default results/NAME)")
    return parser


def _number_or_name(text: str) -> int | str:
    return int(text) if text.isdecimal() else text


if __name__ == "__main__":
    sys.exit(main())
