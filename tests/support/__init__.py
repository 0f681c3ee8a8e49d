"""Oracles, builders and drivers that several tests share."""
