"""Imported by the server that forks the processes of the tests: what they all would compile is compiled once."""

import tempfile
from pathlib import Path

import torch

from support.campaigns import compile_first

torch.set_num_threads(1)  # a process that forks must have one thread
with tempfile.TemporaryDirectory() as place:
    compile_first(Path(place))
