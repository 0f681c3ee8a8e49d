"""Recordings of real cells: read them, fetch published ones, and bring them into the units of a model."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "cells": ["cell_curve"],
        "read": ["RecordingUnavailable", "fetch", "load", "number_of_sweeps", "read"],
        "rig": ["JUNCTION_POTENTIAL", "crop", "current_density", "passive_properties", "stand_in"],
        "voltage_clamp": ["sodium_family"],
    },
)
