"""One small fit from the command line, looked at from all sides: what is printed, the page, the data, and bad input."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from helpers import simulate
from helpers.cells import __main__ as command_line
from helpers.cells import load_cell
from helpers.cells.methods import CURRENTS
from helpers.cells.page import short, table
from helpers.cells.software import software_versions
from helpers.cells.sweeps import step_of_current
from helpers.neurons.cortical import CorticalNeuron
from helpers.recordings import write_csv
from helpers.simulation.trace import Trace

AREA, DT, JUNCTION = 1.5e-4, 0.05, 10.0
LEVELS = (-60.0, 150.0, 220.0)  # pA
SECTIONS = ("verdict", "data", "assumptions", "model", "posterior", "predictions", "held-out", "features", "methods",
            "versions")  # fmt: skip


def recording(folder):
    """A table with three sweeps of a cortical neuron, as a rig would write them: without the junction potential."""
    neuron = CorticalNeuron.preset("regular spiking")
    tables = []
    for k, level in enumerate(LEVELS):
        stimulus = step_of_current(0.0, level, 200.0, AREA, DT)
        trace = simulate(neuron, stimulus, 370.0, DT, seed=k)
        in_pA = Trace(trace.t, {"V": trace.V + JUNCTION}, trace.I * AREA * 1e6, 150.0, 350.0, I_unit="pA")
        write_csv(in_pA, folder / "sweep.csv")
        comment, heading, *rows = (folder / "sweep.csv").read_text(encoding="utf-8").splitlines()
        tables += [comment, heading, *rows] if not tables else rows
    path = folder / "synthetic.csv"
    path.write_text("\n".join([*tables, ""]), encoding="utf-8")
    return path


class Page(HTMLParser):
    """What a page consists of."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.text = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-1:]}"
        self.open.pop()

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.text.append(data)

    def all(self, *names):
        return [(tag, attributes) for tag, attributes in self.tags if tag in names]


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """The fit, the folder of its report, and what the command printed."""
    folder = tmp_path_factory.mktemp("cell")
    made, printed = [], []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(command_line, "fit_cell", lambda *a, **k: made.append(real(*a, progress=False, **k)) or made[0])
        patched.setattr("builtins.print", lambda *words, **_: printed.append(" ".join(map(str, words))))
        status = command_line.main(
            [str(recording(folder)), "--sweeps", "0", "1", "--held-out", "2", "--junction-potential", str(JUNCTION),
             "--budget", "3800", "--folder", str(folder / "report")]
        )  # fmt: skip
    assert status == 0, printed
    return made[0], folder / "report", "\n".join(printed)


real = command_line.fit_cell


@pytest.fixture(scope="module")
def page(fitted):
    return Page((fitted[1] / "cell.html").read_text(encoding="utf-8"))


def test_the_command_prints_table_and_verdict(fitted):
    fit, folder, printed = fitted
    assert fit.table() in printed and str(fit.verdict) in printed and str(folder / "cell.html") in printed
    assert [one.sweep.amplitude for one in fit.predictions] == pytest.approx(LEVELS, abs=0.5)
    assert [one.held_out for one in fit.predictions] == [False, False, True]
    assert fit.cell.measurement.junction_potential == JUNCTION
    assert fit.cell.fitted[0].value("V_rest") == pytest.approx(-84.0, abs=3.0), "the junction potential is subtracted"


def test_the_page_is_whole_and_needs_nothing_else(fitted, page):
    text = (fitted[1] / "cell.html").read_text(encoding="utf-8")
    assert not page.open, "every element is closed"
    assert page.all("html")[0][1]["lang"] == "en" and not page.all("script", "link", "iframe", "object")
    links = [v for _, attributes in page.tags for k, v in attributes.items() if k in ("src", "href", "srcset", "data")]
    assert all(link.startswith(("data:image/", "#")) for link in links)
    assert not re.search(r"url\(|@import|https?://", re.sub(r'src="[^"]*"', "", text))
    assert len(text) < 3e6 and all(len(link) < 4e5 for link in links)
    assert str(fitted[1].parent) not in text, "no path of this computer"


def test_the_page_has_all_parts_in_order(page):
    found = [attributes["id"] for _, attributes in page.all("h2")]
    assert tuple(found) == SECTIONS
    assert {link["href"] for _, link in page.all("a")} == {f"#{name}" for name in SECTIONS}
    levels = [int(tag[1]) for tag, _ in page.all("h1", "h2", "h3", "h4")]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(b - a <= 1 for a, b in zip(levels, levels[1:], strict=False)), "no level is left out"


def test_pictures_and_tables_can_be_heard(fitted, page):
    pictures = page.all("img")
    assert len(pictures) == 2 + len(fitted[0].predictions)
    few = [one["alt"] for _, one in pictures if len(re.findall(r"\d+", one["alt"])) < 4]
    assert not few, "each says what is seen, with numbers"
    assert len(page.all("caption")) == len(page.all("table")) >= 8
    assert all(cell.get("scope") in ("row", "col") for _, cell in page.all("th"))


def test_the_page_tells_what_the_fit_found(fitted, page):
    fit, text = fitted[0], " ".join("".join(page.text).replace("−", "-").split())
    assert fit.verdict.status in text and all(" ".join(one.split()) in text for one in fit.verdict.reasons)
    said = (*fit.verdict.publish, *fit.verdict.not_publish, *fit.cell.notes)
    assert all(" ".join(one.split()) in text for one in said)
    assert "Cornuet et al. 2012" in text and f"{fit.posterior.n_simulations:,} simulations" in text
    for one in fit.predictions:
        beyond = int((np.abs(one.z) > 2.0).sum())
        assert f"{len(one.z) - beyond} of {len(one.z)} features within 2 SD" in text
    said = text.count("recorded higher by more") + text.count("recorded lower by more")
    assert said == sum(int((np.abs(one.z) > 2.0).sum()) for one in fit.predictions), "in words, not by colour alone"


def test_a_stored_cell_is_the_fit(fitted):
    fit, folder, _ = fitted
    stored = load_cell(folder / "cell.json")
    prior = fit.problem.unknowns.prior
    assert stored.prior.difference(prior) == "" and stored.names == fit.names and stored.verdict == str(fit.verdict)
    assert len(stored.draws) >= 1000 and (stored.draws == fit.sample(len(stored.draws), fit.seed)).all()
    assert stored.neuron == fit.problem.unknowns.neuron and stored.area == fit.cell.membrane.area
    for one in fit.predictions:
        features = stored.sweeps[one.sweep.name].features
        assert [entry["observed"] for entry in features.values()] == one.sweep.observed.tolist()
        assert [entry["z"] for entry in features.values()] == one.z.tolist()
        t, V = stored.simulate(one.sweep.name, 3, seed=5)
        same_t, same_V = fit.problem.traces(one.sweep, stored.sample(3, seed=5), seed=5)
        assert (t == same_t).all() and (V == same_V).all()
    with pytest.raises(ValueError, match="sweep 0"):
        stored.simulate("sweep 9", 3, seed=5)


def without(name):
    return lambda data: data.pop(name)


def changed(**values):
    return lambda data: data.update(values)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (changed(kind="prior"), "another kind"), (changed(format=99), "format 99"),
        (without("prior"), "lacks 'prior'"),
        (without("sweeps"), "lacks 'sweeps'"),
        (lambda data: data["posterior"]["draws"][0].pop(), "inhomogeneous|shape"),
        (lambda data: data["posterior"]["draws"][7].__setitem__(0, 1e9), r"draws\[7\]"),
        (lambda data: data["posterior"].update(draws=[]), "draws"),
        (lambda data: data["neuron"]["values"].update(E_K=float("nan")), "NaN"),
        (lambda data: data["neuron"]["values"].update(g_X=1.0), "g_X"),
        (lambda data: data["neuron"].update({"class": "Izhikevich"}), "Izhikevich"),
        (lambda data: data["membrane"].update(area=-1.0), "area"),
        (lambda data: data["sweeps"][0].update(length=1e12), "length"),
    ],
)  # fmt: skip
def test_damaged_data_are_refused_by_name(fitted, tmp_path, damage, reason):
    data = json.loads((fitted[1] / "cell.json").read_text(encoding="utf-8"))
    damage(data)
    path = tmp_path / "damaged.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(ValueError, match=f"damaged.json.*({reason})"):
        load_cell(path)


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", "null", '"kind"', "t,V\n0,1\n", "\x00\xff"])
def test_other_files_are_refused_by_name(tmp_path, text):
    path = tmp_path / "other.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="other.json holds no fitted cell"):
        load_cell(path)
    with pytest.raises(FileNotFoundError):
        load_cell(tmp_path / "missing.json")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["missing.csv"], "missing.csv"),
        (["synthetic.csv", "--sweeps", "7"], "7"),
        (["synthetic.csv", "--sweeps", "0", "--junction-potential", "nan"], "junction_potential"),
        (["synthetic.csv", "--low-pass", "-1"], "low_pass"),
        (["synthetic.csv", "--budget", "5"], "budget"),
        (["synthetic.csv", "--seed", "-1"], "seed"),
    ],
)
def test_bad_input_is_one_line_and_status_2(fitted, capsys, arguments, reason):
    name, *more = arguments
    folder = fitted[1].parent
    assert command_line.main([str(folder / name), *more, "--folder", str(folder / "bad")]) == 2
    out, err = capsys.readouterr()
    assert not out and err.startswith("error: ") and err.count("\n") == 1 and reason in err
    assert not (folder / "bad").exists()


def test_sweeps_are_numbers_or_names():
    options = command_line._parser().parse_args(["cell.nwb", "--sweeps", "3", "long square 2", "--held-out"])
    assert options.sweeps == [3, "long square 2"] and options.held_out == []


def test_ctrl_c_says_how_to_go_on(fitted, monkeypatch, capsys):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(command_line, "fit_cell", stopped)
    assert command_line.main([str(fitted[1].parent / "synthetic.csv")]) == 130
    assert "the same command goes on" in capsys.readouterr().err


def test_every_current_of_the_model_is_described():
    assert set(CURRENTS) == set(CorticalNeuron().currents)


def test_a_table_escapes_marks_and_aligns():
    made = table("A < B", ("name", "value", "word"), [("<b>", -1.5, "a & b"), ("c", "+2.1", "x")], marked=[1])
    assert "A &lt; B" in made and "&lt;b&gt;" in made and "a &amp; b" in made and "−1.5" in made
    assert made.count('class="number"') == 2 and made.count('class="marked"') == 1


@pytest.mark.parametrize(
    ("value", "words"), [(0.0, "0"), (1234.5, "1234"), (123456.0, "123,456"), (0.01234, "0.0123"), (1.5e-6, "1.50e-06")]
)
def test_numbers_are_short(value, words):
    assert short(value) == words


def test_versions_name_python_numpy_and_nothing_of_the_machine():
    found = software_versions()
    assert {"Python", "numpy"} <= set(found) and not any("/" in one for one in found.values())
