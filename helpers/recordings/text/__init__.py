"""Recordings as text: how a file is encoded and laid out, what its headings mean, and its rows as sweeps."""
