"""Published recordings: what the cells do, and how their files are fetched, with a network and without."""

import gc
import hashlib
import http.server
import socket
import threading
import time
from dataclasses import replace

import numpy as np
import pooch
import pytest
from support.builders import LEVELS

from helpers.recordings import published as module
from helpers.recordings.published import RECORDINGS, PublishedRecording, RecordingUnavailable, fetch, load
from helpers.recordings.reading import number_of_sweeps, read

# ---- What the cells do

CELLS = ("regular_spiking", "fast_spiking")


@pytest.mark.parametrize("name", CELLS)
def test_real_current_clamp_protocol(recordings, name):
    path = recordings / RECORDINGS[name].file
    assert number_of_sweeps(path) == 17
    for sweep, level in enumerate(LEVELS):
        trace = read(path, sweep)
        assert trace.I_unit == "pA" and trace.t[0] == 0.0 and len(trace.t) == 60_000
        assert trace.dt == pytest.approx(0.05, rel=1e-12)  # 20 kHz
        # Clampex waits 1/64 of the 60 000 samples, 937, then 100 ms; the step lasts 500 ms. In the sweep of 0 pA, too.
        assert (trace.start, trace.stop) == pytest.approx((146.85, 646.85))
        assert set(trace.I[(trace.t >= trace.start) & (trace.t < trace.stop)]) == {level}
        assert set(trace.I[trace.t < trace.start - 0.01]) == {0.0}
        assert trace.I[trace.t > 646.86][0] == 0.0 and trace.I[trace.t > 1146.86][0] == -100.0


def test_real_rest_and_firing(recordings):
    slow = [read(recordings / RECORDINGS["regular_spiking"].file, k) for k in range(17)]
    fast = [read(recordings / RECORDINGS["fast_spiking"].file, k) for k in range(17)]
    rest = np.mean([trace.V[trace.t < 140.0].mean() for trace in slow])
    assert rest == pytest.approx(-62.1, abs=0.05)
    rates = [[count(trace) / 0.5 for trace in cell] for cell in (slow, fast)]  # Hz
    assert rates[0] == [0, 0, 0, 0, 0, 0, 2, 2, 6, 8, 10, 12, 12, 14, 16, 16, 18]
    assert rates[1] == [0, 0, 0, 0, 8, 26, 40, 56, 66, 80, 90, 98, 108, 114, 120, 124, 128]


def count(trace):
    return int(np.count_nonzero((trace.spike_times >= trace.start) & (trace.spike_times < trace.stop)))


def test_load(recordings):
    np.testing.assert_array_equal(
        load("regular_spiking", 3).V, read(recordings / RECORDINGS["regular_spiking"].file, 3).V
    )


# ---- Fetching


# pooch does not close the connection of a refused download; only a test that turns warnings into errors notices.
LEAVES_SOCKET = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """A machine without copies, cache or proxy; returns its cache folder."""
    monkeypatch.delenv("PYHH_RECORDINGS", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    cache = tmp_path / "cache"
    monkeypatch.setenv("PYHH_CACHE", str(cache))
    return cache


def download_from(monkeypatch, address):
    moved = {name: replace(entry, address=address, package="") for name, entry in RECORDINGS.items()}
    monkeypatch.setattr(module, "RECORDINGS", moved)


@pytest.fixture
def server(tmp_path, monkeypatch, bare):
    """A web server on this machine in the place of the repository; returns the folder that it serves."""
    folder = tmp_path / "web"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=folder)

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as web:
        threading.Thread(target=web.serve_forever, args=(0.02,), daemon=True).start()
        download_from(monkeypatch, f"http://127.0.0.1:{web.server_port}/")
        yield folder
        web.shutdown()
    gc.collect()  # the sockets of LEAVES_SOCKET, while the mark still holds


@pytest.mark.parametrize("name", [name for name, entry in RECORDINGS.items() if not entry.package])
def test_fetch_from_the_folder(recordings, name):
    path = fetch(name)
    assert path == recordings / RECORDINGS[name].file
    assert hashlib.sha256(path.read_bytes()).hexdigest() == RECORDINGS[name].sha256


def test_fetch_from_a_wrong_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("PYHH_RECORDINGS", str(tmp_path))
    with pytest.raises(RecordingUnavailable, match=r"PYHH_RECORDINGS = .* has no 171116sh_0018\.abf"):
        fetch("regular_spiking")
    (tmp_path / "171116sh_0018.abf").write_bytes(b"ABF2 but another")
    with pytest.raises(ValueError, match=r"is not the published recording 'regular_spiking': its SHA-256 hash differs"):
        fetch("regular_spiking")
    monkeypatch.setenv("PYHH_RECORDINGS", str(tmp_path / "none"))
    with pytest.raises(ValueError, match=r"PYHH_RECORDINGS = .*none is not a folder"):
        fetch("regular_spiking")
    with pytest.raises(ValueError, match="recording = 'chattering'; allowed: regular_spiking, fast_spiking"):
        fetch("chattering")


def test_fetch_from_an_installed_package(tmp_path, monkeypatch, bare):
    content, package = b"ABF2 as the package brings it", tmp_path / "bringer"
    package.mkdir()
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    sha256 = hashlib.sha256(content).hexdigest()
    entry = PublishedRecording("mine", "mine.abf", sha256, "", package="bringer", folder="data")
    monkeypatch.setattr(module, "RECORDINGS", {"mine": entry})
    monkeypatch.setenv("PYHH_RECORDINGS", str(tmp_path))
    with pytest.raises(RecordingUnavailable, match=r"has no mine\.abf"):
        fetch("mine")
    (package / "data").mkdir()
    (package / "data" / "mine.abf").write_bytes(content)
    assert fetch("mine") == package / "data" / "mine.abf"
    (tmp_path / "mine.abf").write_bytes(content)
    assert fetch("mine") == tmp_path / "mine.abf"  # the reader's own folder goes first
    (package / "data" / "mine.abf").write_bytes(b"another")
    (tmp_path / "mine.abf").unlink()
    with pytest.raises(ValueError, match="its SHA-256 hash differs"):
        fetch("mine")


def assert_unavailable():
    began = time.perf_counter()
    with pytest.raises(RecordingUnavailable, match="'regular_spiking' is not on this machine") as caught:
        fetch("regular_spiking")
    assert time.perf_counter() - began < 3.0
    assert isinstance(caught.value, OSError) and "\n" not in str(caught.value) and len(str(caught.value)) < 250


def test_fetch_without_a_connection(bare, monkeypatch):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound but not listening: the connection is refused
        download_from(monkeypatch, f"http://127.0.0.1:{closed.getsockname()[1]}/")
        assert_unavailable()


def test_fetch_from_a_silent_server(bare, monkeypatch):
    monkeypatch.setattr(module, "TIMEOUT", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, never answers
        download_from(monkeypatch, f"http://127.0.0.1:{silent.getsockname()[1]}/")
        assert_unavailable()


@LEAVES_SOCKET
def test_fetch_of_a_file_that_has_gone(server):
    assert_unavailable()


@LEAVES_SOCKET
def test_fetch_downloads_once_quietly(server, bare, recordings, caplog):
    logger = pooch.get_logger()
    logger.setLevel("INFO")  # as pooch leaves it
    logger.addHandler(caplog.handler)
    file = RECORDINGS["voltage_clamp"].file
    whole = (recordings / file).read_bytes()
    (server / file).write_bytes(whole)
    path = fetch("voltage_clamp")
    assert path.parent == bare / "recordings" and path.read_bytes() == whole
    (server / file).unlink()
    assert fetch("voltage_clamp") == path  # from the cache
    path.write_bytes(whole[:-1])
    with pytest.raises(RecordingUnavailable):
        fetch("voltage_clamp")  # a damaged cache is not used
    logger.removeHandler(caplog.handler)
    assert caplog.messages == []


def test_fetch_of_other_content(server, bare):
    (server / "171116sh_0018.abf").write_bytes(b"something else")
    with pytest.raises(ValueError, match=r"the download of 171116sh_0018\.abf was discarded: its SHA-256 hash differs"):
        fetch("regular_spiking")
    assert not (bare / "pyhh" / "171116sh_0018.abf").exists()
