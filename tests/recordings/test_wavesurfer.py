"""WaveSurfer: what the inputs recorded, and the command that the stimulus library describes."""

import sys

import h5py
import numpy as np
import pytest
from support.recorders import START, STOP, command, response, wavesurfer

from helpers.recordings.reading import number_of_sweeps, open_file, read

# Sweep i gets -50, 50, 150 pA: expressions as people write them.
STEPS = (-50.0, 50.0, 150.0)
PULSE = {"TypeString": "SquarePulse", "Delay": "0.05", "Duration": "0.1", "Amplitude": "-50+100*(i-1)", "DCOffset": "0"}
SWEEPS = [np.stack([response(level), command(level)]) for level in STEPS]
MAPS = [{"Cmd": (1, 1.0)}]


def written(tmp_path, **more):
    return wavesurfer(tmp_path / "cell.h5", SWEEPS, **{"maps": MAPS, "stimuli": [PULSE], **more})


def commanded(path, k):
    return next(signal.load() for signal in open_file(path).sweep(k).commanded if signal.name == "Cmd")


def test_voltage_command_and_step(tmp_path):
    path = written(tmp_path)
    assert number_of_sweeps(path) == 3 and open_file(path).names == ("sweep_0001", "sweep_0002", "sweep_0003")
    for k, level in enumerate(STEPS):
        trace = read(path, k)
        np.testing.assert_allclose(trace.V, response(level), atol=0.02)
        np.testing.assert_allclose(trace.I, command(level))
        np.testing.assert_allclose(trace.t, 0.5 * np.arange(400))
        assert (trace.start, trace.stop) == (START, STOP)
        np.testing.assert_allclose(read(path, k, current="Im").I, command(level), atol=0.4)
    np.testing.assert_array_equal(read(path, "sweep_0003").V, trace.V)


def test_factors_and_sequences_of_maps(tmp_path):
    fixed = {**PULSE, "Amplitude": "20", "DCOffset": "1"}
    path = written(tmp_path, maps=[{"Cmd": (1, 2.0)}, {"Cmd": (2, -1.0)}], stimuli=[PULSE, fixed], sequence=[1, 2])
    for k, level in enumerate((-100.0, -21.0, 300.0)):
        np.testing.assert_allclose(commanded(path, k), command(level))
    once = written(tmp_path, settings={"DoRepeatStimulusSequence": np.zeros((1, 1))})
    assert [np.ptp(commanded(once, k)) for k in range(3)] == [50.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("stimulus", "wanted"),
    [
        (
            {"TypeString": "SquarePulseTrain", "Period": "0.02", "PulseDuration": "0.005", **{
                key: PULSE[key] for key in ("Delay", "Duration", "DCOffset")}, "Amplitude": "10*2^i"},
            lambda t: np.where((t >= 50) & (t < 150) & ((t - 50) % 20 < 5), 20.0, 0.0),
        ),
        (
            {"TypeString": "SquarePulseLadder", "Delay": "0.01", "PulseCount": "3", "PulseDuration": "0.02",
             "DelayBetweenPulses": "0.03", "FirstPulseAmplitude": "-10", "AmplitudeChangePerPulse": "10"},
            lambda t: np.where((t >= 10) & (t < 160) & ((t - 10) % 50 < 20), -10.0 + 10.0 * ((t - 10) // 50), 0.0),
        ),
        (
            {**PULSE, "TypeString": "Ramp", "Amplitude": "100"},
            lambda t: np.where((t >= 50) & (t < 150), t - 50 + 0.25, 0.0),
        ),
    ],
)  # fmt: skip
def test_kinds_of_stimuli(tmp_path, stimulus, wanted):
    path = written(tmp_path, stimuli=[stimulus])
    np.testing.assert_allclose(commanded(path, 0), wanted(0.5 * np.arange(400)), atol=1e-9)


def test_outputs_that_nothing_is_bound_to_are_told_nothing(tmp_path):
    path = written(tmp_path, outputs=[("Cmd", "pA"), ("LED", "V")])
    found = open_file(path).sweep(0).commanded
    assert [(x.name, x.unit, np.ptp(x.load())) for x in found] == [("Cmd", "pA", 50.0), ("LED", "V", 0.0)]
    still = written(tmp_path, settings={"IsStimulationEnabled": np.zeros((1, 1))})
    assert not commanded(still, 0).any()


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"stimuli": [{**PULSE, "TypeString": "File"}]}, "the stimulus is of the kind File"),
        ({"stimuli": [{**PULSE, "Amplitude": "rand()"}]}, r"Amplitude of the stimulus is 'rand\(\)', .* arithmetic"),
        ({"stimuli": [{**PULSE, "Delay": "1/(i-1)"}]}, r"Delay of the stimulus is '1/\(i-1\)'"),
        ({"stimuli": []}, "its stimulus library is damaged or of an unknown version"),
        ({"settings": {"StimulationUsesAcquisitionTrigger": np.zeros((1, 1))}}, "the stimulus has a trigger of its"),
    ],
)
def test_a_command_that_the_library_does_not_tell_is_not_made_up(tmp_path, more, reason):
    alone = [sweep[:1] for sweep in SWEEPS]
    path = wavesurfer(
        tmp_path / "cell.h5", alone, **{"maps": MAPS, "stimuli": [PULSE], "inputs": [("Vm", "mV", 0.01)], **more}
    )
    with pytest.raises(ValueError, match=rf"cell\.h5, sweep 0: {reason}.*give the current yourself"):
        _ = read(path).I
    np.testing.assert_allclose(read(path).V, response(STEPS[0]), atol=0.02)


def test_a_command_of_a_voltage_is_voltage_clamp(tmp_path):
    with pytest.raises(ValueError, match=r"cell\.h5, sweep 0: this is voltage clamp.*it commanded 'Cmd' \(mV\)"):
        read(written(tmp_path, outputs=[("Cmd", "mV")]))


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"AIScalingCoefficients": None}, "its samples are counts without the coefficients .*addScalingToDataFile"),
        ({"AIChannelUnits": None}, "its header has no AIChannelUnits"),
        ({"AcquisitionSampleRate": np.array([[np.nan]])}, "its header is damaged"),
        (
            {"IsAIChannelActive": np.array([[1.0], [0.0]]), "AIScalingCoefficients": np.ones((1, 4))},
            "has 2 inputs .* 1 were active",
        ),
        ({"VersionString": None}, "it is HDF5, but not of WaveSurfer"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(tmp_path, settings, reason):
    with pytest.raises(ValueError, match=rf"cell\.h5 cannot be read as WaveSurfer: .*{reason}"):
        read(written(tmp_path, settings=settings))


def test_no_other_file_is_opened(tmp_path):
    whole, path = written(tmp_path), tmp_path / "linked.h5"
    with h5py.File(path, "w") as file:
        with h5py.File(whole, "r") as other:
            other.copy("header", file)
        file["sweep_0001"] = h5py.ExternalLink(str(whole), "/sweep_0001")
    with pytest.raises(ValueError, match=r"linked\.h5 cannot be read as WaveSurfer"):
        read(path)


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    path = written(tmp_path)
    for module in ("hdf5", "wavesurfer"):
        monkeypatch.delitem(sys.modules, f"helpers.recordings.{module}", raising=False)
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ImportError, match=r"cell\.h5: reading \.h5 files needs the package h5py: pip install h5py"):
        read(path)


def test_cut_short(tmp_path):
    path = written(tmp_path)
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(ValueError, match=r"cell\.h5 cannot be read as WaveSurfer: it is damaged, cut short or"):
        read(path)
