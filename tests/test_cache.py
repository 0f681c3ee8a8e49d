"""One rule for the folders that cache compiled code, trained networks and downloads."""

import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pooch
import pytest

from helpers import cache
from helpers.cache import cache_folder

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def read_only(monkeypatch, tmp_path):
    """A read-only repository: a file lies where its cache should be (also root may not write there)."""
    monkeypatch.delenv("PYHH_CACHE", raising=False)
    (tmp_path / "repository").mkdir()
    (tmp_path / "repository" / ".cache").touch()
    monkeypatch.setattr(cache, "REPOSITORY", tmp_path / "repository")
    monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path / "user" / name)
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    return tmp_path


def test_the_repository_keeps_what_git_ignores(monkeypatch):
    monkeypatch.delenv("PYHH_CACHE", raising=False)
    assert cache_folder("networks") == ROOT / ".cache" / "networks"
    assert ".cache/" in (ROOT / ".gitignore").read_text().splitlines()


@pytest.mark.parametrize("kind", ["kernels", "networks", "recordings"])
def test_one_variable_moves_all_of_it(kind, monkeypatch, tmp_path):
    monkeypatch.setenv("PYHH_CACHE", str(tmp_path / "deep" / "below"))
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(cache_folder, [kind] * 32)) == {tmp_path / "deep" / "below" / kind}
    assert not list((tmp_path / "deep" / "below" / kind).iterdir())


def test_a_read_only_repository_leaves_the_cache_to_the_user_and_says_so_once(read_only, capsys):
    assert cache_folder("kernels") == read_only / "user" / "pyhh" / "kernels"
    said = capsys.readouterr().err
    assert said.startswith("cannot write ") and said.endswith(f": cached files go to {read_only / 'user' / 'pyhh'}\n")
    cache_folder("kernels")
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(os.name != "posix", reason="owners of folders")
def test_without_a_home_the_temporary_folder_serves_its_owner_only(read_only, monkeypatch):
    (read_only / "user").touch()
    folder = cache_folder("kernels")
    assert folder == read_only / f"pyhh-{os.getuid()}" / "kernels"
    assert folder.parent.stat().st_mode & 0o077 == 0
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    (read_only / "pyhh-12345").mkdir()  # made by somebody else, who could put code there
    with pytest.raises(OSError, match="no cache folder can be written"):
        cache_folder("kernels")


def test_a_folder_that_was_asked_for_is_not_silently_replaced(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("PYHH_CACHE", str(tmp_path / "file"))
    with pytest.raises(OSError, match=r"file.networks .*; set PYHH_CACHE to a folder that can"):
        cache_folder("networks")
