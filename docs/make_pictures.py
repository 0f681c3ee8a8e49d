"""Make the pictures of the README: python docs/make_pictures.py (two minutes; the first one needs Chromium).

docs/bench.png       the live bench as a browser shows it
docs/posterior.png   a posterior learned in rounds, on the reference that no network made
"""

import sys
import tempfile
from pathlib import Path

import matplotlib

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "tests")]
matplotlib.use("agg")

import matplotlib.pyplot as plt  # noqa: E402
from support.browser import chromium  # noqa: E402

from benchmarks.frames import bare_page, write_page  # noqa: E402
from helpers import Pospischil, figures, inference, simulate, simulate_many, step, summary_statistics  # noqa: E402


def live_bench() -> None:
    """A screenshot of the bench, while 30 µA/cm² flow into the squid axon."""
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        write_page(Path(folder))
        with bare_page(Path(folder)) as address:
            page = browser.new_page(viewport={"width": 1040, "height": 900}, device_scale_factor=1.5)
            page.goto(address)
            page.locator('.live-bench [data-name="amplitude"] input[type="number"]').fill("30")
            page.keyboard.press("Enter")
            page.wait_for_timeout(500)
            page.locator(".live-bench").screenshot(path=HERE / "bench.png")


def posterior() -> None:
    """Draws from truncated rounds around the truth, on the ellipse of the synthetic likelihood."""
    stimulus, truth = step(3.248, 10.0, 110.0), {"g_Na": 50.0, "g_K": 5.0}
    prior = inference.box_prior(Pospischil, list(truth))

    def simulator(theta, seed):
        return simulate_many(Pospischil(), stimulus, prior.by_name(theta), 120.0, seed=seed)

    x_o = summary_statistics(simulate(Pospischil(**truth), stimulus, 120.0, seed=11))
    local = inference.local_gaussian(simulator, prior, list(truth.values()), x_o, seed=4, step=[1.0, 0.1])
    clouds = {
        "reference": inference.synthetic_likelihood(simulator, prior, x_o, local, seed=5).sample(2000, x_o, seed=6),
        "network, after a few rounds": inference.truncated_rounds(simulator, prior, x_o, seed=0).posterior.sample(
            2000, x_o, seed=1
        ),
    }
    agreement = inference.c2st(*clouds.values())
    assert agreement < 0.6, f"C2ST {agreement:.2f}: this posterior is not right"
    figures.use_style()
    figure, ax = plt.subplots(figsize=(7, 4), dpi=150)
    figures.plot_samples(ax, clouds, prior.labels, list(truth.values()))
    figure.savefig(HERE / "posterior.png")


if __name__ == "__main__":
    live_bench()
    posterior()
