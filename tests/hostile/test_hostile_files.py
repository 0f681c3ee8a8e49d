"""Files from strangers: posteriors, rounds and campaigns are read without running what somebody hid in them."""

# ruff: noqa: E501

import base64
import hashlib
import io
import json
import os
import pickle
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.corruption import KINDS, outcomes

from helpers.campaigns.shards import Shard, fault, read_shard
from helpers.inference.npe import train_npe
from helpers.inference.posterior import Posterior
from helpers.inference.priors import Prior, box_prior
from helpers.inference.rounds import truncated_rounds
from helpers.inference.storage import read_arrays, write_arrays
from helpers.neurons.models import HodgkinHuxley

MARK = "the payload ran"


class Payload:
    """Unpickled, it creates a file."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self):
        return (os.system, (f"touch '{self.path}'",))


def npz(path: Path, **members: bytes) -> None:
    with zipfile.ZipFile(path, "w") as packed:
        for name, data in members.items():
            packed.writestr(f"{name}.npy", data)


def array_of(value: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, value, allow_pickle=True)
    return buffer.getvalue()


def torch_file(thing: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(thing, buffer)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def prior() -> Prior:
    return box_prior(HodgkinHuxley, ["g_Na", "g_K"])


@pytest.fixture(scope="module")
def saved(prior, tmp_path_factory) -> bytes:
    """A trained posterior in a file."""
    theta = prior.draw(60, 1)
    x = np.column_stack([theta[:, 0] + theta[:, 1], theta[:, 0], np.arange(60.0)])
    path = tmp_path_factory.mktemp("posterior") / "posterior.npz"
    train_npe(prior, theta, x, 1, epochs=1, model="mdn").save(path)
    return path.read_bytes()


def disguises(payload: Payload, saved: bytes) -> dict[str, bytes]:
    """The same payload in every file that Python's tools would run it from."""
    objects = np.array([payload], dtype=object)
    with np.load(io.BytesIO(saved)) as file:
        arrays = {name: file[name] for name in file.files}
    mixed = io.BytesIO()
    np.savez(mixed, **{**arrays, "losses.0": objects})
    alone = io.BytesIO()
    np.savez(alone, about=objects)
    return {
        "pickle": pickle.dumps(payload),
        "array of objects": array_of(objects),
        "npz of objects": alone.getvalue(),
        "posterior with one array of objects": mixed.getvalue(),
        "torch": torch_file({"weights": payload}),
        "torch, old format": pickle.dumps(0x1950A86A20F9469CFC6C) + pickle.dumps(1001) + pickle.dumps(payload),
    }


HOW = [
    "pickle",
    "array of objects",
    "npz of objects",
    "posterior with one array of objects",
    "torch",
    "torch, old format",
]


def test_a_payload_in_a_file_of_simulations_does_not_run(tmp_path):
    """As pickled metadata of a column: pyarrow before 14.0.1 ran it (CVE-2023-47248). All else of the file is right."""
    payload, columns = Payload(tmp_path / MARK), {"simulation": np.arange(3), "theta.a": np.ones(3), "x.b": np.ones(3)}
    extension = {"ARROW:extension:name": "arrow.py_extension_type", "ARROW:extension:metadata": pickle.dumps(payload)}
    types = {name: pa.array(column).type for name, column in columns.items()}
    schema = pa.schema([pa.field(*one, metadata=extension) for one in types.items()], {"campaign": "key"})
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pq.write_table(pa.table(columns, schema), buffer)
    data = buffer.getvalue()
    kept = base64.b64decode(pq.read_metadata(io.BytesIO(data)).metadata[b"ARROW:schema"])  # what pyarrow makes types of
    assert kept.count(pickle.dumps(payload)) == len(columns), "the payload is not in the file"
    shard = Shard(0, 3, hashlib.sha256(data).hexdigest()[:16], tmp_path)
    shard.path.write_bytes(data)
    assert fault(shard, "key") is None
    theta, x = read_shard(shard, "key")
    assert theta.shape == x.shape == (3, 1)
    assert not (tmp_path / MARK).exists(), "the payload ran"


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize(
    "reader", ["posterior", "arrays", "rounds' settings", "rounds' simulations", "rounds' posterior"]
)
def test_a_payload_is_refused_and_does_not_run(how, reader, prior, saved, tmp_path):
    payload = Payload(tmp_path / MARK)
    content = disguises(payload, saved)[how]
    place = {"rounds' settings": "settings.npz", "rounds' simulations": "round_1_simulations.npz",
             "rounds' posterior": "round_1_posterior.npz"}.get(reader, "stranger.npz")  # fmt: skip
    folder = tmp_path / "folder"
    folder.mkdir()

    def simulate(theta: np.ndarray, seed: int) -> np.ndarray:
        return theta + 0.0

    def rounds() -> None:
        how_many = {"n_round": 50, "n_final": 50, "budget": 100, "ensemble": 1, "epochs": 1}
        truncated_rounds(simulate, prior, np.array([100.0, 40.0]), 1, folder=folder, model="mdn", **how_many)

    if reader in ("rounds' simulations", "rounds' posterior"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # how the rounds end is no matter here
            rounds()
    (folder / place).write_bytes(content)
    with pytest.raises(ValueError, match=place) as caught:
        if reader == "posterior":
            Posterior.load(folder / place)
        elif reader == "arrays":
            read_arrays(folder / place, 4, "posterior")
        else:
            rounds()
    assert not (tmp_path / MARK).exists(), "the payload ran"
    assert "no " in str(caught.value)
    if how == "posterior with one array of objects":
        assert "could run code" in str(caught.value)


def test_the_payloads_are_real(saved, tmp_path):
    """Each file does run its payload in the tool that would trust it: the test above could fail."""
    files = disguises(Payload(tmp_path / MARK), saved)
    openers = {
        "pickle": lambda data: pickle.loads(data),
        "array of objects": lambda data: np.load(io.BytesIO(data), allow_pickle=True),
        "npz of objects": lambda data: np.load(io.BytesIO(data), allow_pickle=True)["about"],
        "posterior with one array of objects": lambda data: np.load(io.BytesIO(data), allow_pickle=True)["losses.0"],
        "torch": lambda data: torch.load(io.BytesIO(data), weights_only=False),
    }
    for how, opener in openers.items():
        opener(files[how])
        assert (tmp_path / MARK).exists(), how
        (tmp_path / MARK).unlink()


def test_arrays_that_would_fill_the_memory_are_refused(tmp_path):
    path = tmp_path / "bomb.npz"
    np.savez_compressed(path, about=np.array("{}"), x=np.zeros(10**7))
    with pytest.raises(ValueError, match=r"bomb\.npz holds no posterior.*larger than the file"):
        read_arrays(path, 4, "posterior")
    head = array_of(np.zeros(3)).replace(b"(3,), }" + b" " * 10, b"(" + b"9" * 12 + b",), }")
    npz(path, about=array_of(np.array("{}")), x=head)
    with pytest.raises(ValueError, match=r"bomb\.npz holds no posterior"):
        read_arrays(path, 4, "posterior")


@pytest.mark.skipif(os.name != "posix", reason="workers are forked")
def test_damaged_posteriors_are_read_or_refused_by_name(saved, tmp_path):
    found = outcomes(judge, [saved], ".npz", range(160), tmp_path)
    wrong = [one for one in found if one.verdict not in ("read", "refused")]
    assert not wrong, wrong[:3]
    assert {one.kind for one in found if one.verdict == "refused"} == set(KINDS)


def judge(path: Path) -> str:
    """Load a posterior and use it."""
    try:
        posterior = Posterior.load(path)
    except ValueError as refusal:
        assert path.name in str(refusal)
        return "refused"
    assert isinstance(posterior, Posterior)
    return "read"


class Hidden(tuple):
    """Which Hypothesis does not print."""

    def __repr__(self) -> str:
        return "..."


@pytest.fixture(scope="module")
def of_saved(saved, tmp_path_factory) -> Hidden:
    return Hidden((tmp_path_factory.mktemp("by_hand") / "by_hand.npz", saved))


WRONG = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**12), 10**12), st.floats(), st.text(max_size=5), st.just([]), st.just({}),
    st.lists(st.integers(-5, 10**9), max_size=3), st.dictionaries(st.text(max_size=3), st.none(), max_size=2),
)  # fmt: skip


@settings(max_examples=120, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(
    key=st.sampled_from(
        [
            "format",
            "model",
            "networks",
            "scaling",
            "statistics",
            "interrupted",
            "prior",
            "shape",
            "embedding",
            "simulated",
        ]
    ),
    value=WRONG,
    deeper=st.sampled_from(["", "parameters", "marginals", "below"]),
)
def test_a_description_written_by_hand_is_refused_by_name(of_saved, key, value, deeper):
    path, saved = of_saved
    with np.load(io.BytesIO(saved)) as file:
        arrays = {name: file[name] for name in file.files}
    about = json.loads(str(arrays.pop("about")))
    right = about[key]
    if key == "prior" and deeper:
        about["prior"][deeper] = value
        unchanged = deeper == "below" and value == {}
    else:
        about[key] = value
        unchanged = value == right
    write_arrays(path, about, arrays)
    try:
        loaded = Posterior.load(path)
    except ValueError as refusal:
        assert path.name in str(refusal)
    else:
        assert unchanged or key in ("statistics", "interrupted"), f"{key} = {value!r} was taken: {loaded}"
