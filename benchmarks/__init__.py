"""How fast this series simulates, measured beside its peers in one run: `python -m benchmarks.speed`."""
