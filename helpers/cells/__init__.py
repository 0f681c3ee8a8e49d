"""From the recording of a cell to a posterior, a verdict and a report.

fit_cell          all of it in one call
CellFit           what comes back: draws, predictions per sweep, the verdict; report(folder)
Advice            which recording would help most: CellFit.advice()
Measurement       what is assumed of the measurement: junction potential, filter, up to what features are known
load_cell         the cell.json of a report again, as a StoredCell: sample, simulate
StoredCell        posterior, neuron and sweeps of a stored cell
CellVerdict       whether the model passes, why not, and what may be published
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "fit": ["CellFit", "fit_cell"],
        "next_recording": ["Advice", "next_recording"],
        "storage": ["StoredCell", "load_cell"],
        "sweeps": ["Measurement"],
        "verdict": ["CellVerdict"],
    },
)
