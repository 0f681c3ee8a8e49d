"""The cell of notebook 2: recorded where it is at hand, otherwise simulated."""

from helpers.recordings import example_cell, passive_properties


def test_the_recorded_cell(recordings):
    source, sweeps = example_cell()
    assert source == "recorded" and list(sweeps) == [-100, 175, 250]
    for pA, sweep in sweeps.items():
        assert sweep.I_unit == "pA" and sweep.I[abs(sweep.I).argmax()] == pA
    times = sweeps[175].spike_times
    assert ((times > sweeps[175].start) & (times < sweeps[175].stop)).sum() == 6


def test_a_synthetic_cell_where_the_file_is_missing(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("PYHH_RECORDINGS", str(tmp_path))  # an empty folder
    source, sweeps = example_cell()
    assert source == "synthetic" and list(sweeps) == [-100, 175, 250]
    assert "has no 171116sh_0018.abf" in capsys.readouterr().out
    assert 1e-4 < passive_properties(sweeps[-100]).area < 1e-3 and len(sweeps[250].spike_times) > 3
