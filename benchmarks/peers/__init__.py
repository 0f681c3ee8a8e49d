"""The peers, one module per family. None imports a package that may be missing before it is asked to simulate."""

from . import (
    arrays,
    numba_loops,
    python_loops,
    scipy_solvers,
    series,
    with_arbor,
    with_braincell,
    with_brian2,
    with_jaxley,
    with_neuron,
)

ALL = (
    *series.PEERS,
    *python_loops.PEERS,
    *scipy_solvers.PEERS,
    *arrays.PEERS,
    *numba_loops.PEERS,
    *with_neuron.PEERS,
    *with_brian2.PEERS,
    *with_jaxley.PEERS,
    *with_braincell.PEERS,
    *with_arbor.PEERS,
)
