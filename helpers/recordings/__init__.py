"""Recordings of real cells: read them, fetch published ones, and convert them to the units of a model.

read, number_of_sweeps           a file in any format: one sweep as a `Trace`
Recording                        a file as a whole: sweeps, steps, f-I curve, plot, and what was found and assumed
Step, find_steps                 the steps of an injected current
write_csv                        a `Trace` as a table
fetch, load, RECORDINGS          published recordings by name
RecordingUnavailable             raised when one can be neither found nor downloaded
crop, current_density            part of a sweep; pA as µA/cm²
in_model_units                   µA/cm², and V without the liquid-junction potential
LIMITS                           from where on `Recording.quality` says that something needs a look
passive_properties               resting potential, input resistance, time constant, area
Rig, record_through              a simulated amplifier
synthetic_recording              a simulated recording of a current step
example_cell                     three sweeps of a published cell, or of a synthetic one
JUNCTION_POTENTIAL               the offset [mV] of V in a synthetic recording
recorded_f_I                     f-I curve of a published recording, or of a synthetic one
read_family, sodium_family       currents under voltage clamp: from a file; the published ones
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "text.writing": ["write_csv"],
        "example": ["example_cell", "recorded_f_I"],
        "passive": ["crop", "current_density", "in_model_units", "passive_properties"],
        "published": ["RECORDINGS", "RecordingUnavailable", "fetch", "load"],
        "quality": ["LIMITS"],
        "recording": ["Recording"],
        "reading": ["number_of_sweeps", "read"],
        "steps": ["Step", "find_steps"],
        "rig": ["JUNCTION_POTENTIAL", "Rig", "record_through", "synthetic_recording"],
        "voltage_clamp": ["read_family", "sodium_family"],
    },
)
