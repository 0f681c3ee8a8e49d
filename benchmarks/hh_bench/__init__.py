"""HH-bench: simulation-based inference with neurons, as tasks that anyone can import and a table of methods.

task            the tasks: simulator, prior, observations, truths, samples of reference posteriors
make_references makes the observations and the references: python -m benchmarks.hh_bench.make_references
methods         what is compared: the methods of sbi and those of this series
measures        what is measured of each
results         the file of results, and the table that it makes

`python -m benchmarks.hh_bench` measures and prints the table. See docs/benchmark.md.
"""

from .task import Task, tasks

__all__ = ["Task", "tasks"]
