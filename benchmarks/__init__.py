"""How fast this series simulates, measured next to its peers in one run: `python -m benchmarks.speed`."""
