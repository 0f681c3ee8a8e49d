"""The look of the series: sharp, with colours that are told apart and can be read on white."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib import pyplot as plt
from support.contrast import contrast

from helpers.figures import colours
from helpers.figures.style import contrast as contrast_of_the_series
from helpers.figures.style import direct_label, readable, shades

# What a reader without green (deuteranopia) or red (protanopia) cones sees, in linear RGB (Machado et al. 2009).
BLIND = {
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
}


def test_figures_are_sharp_and_as_wide_as_a_notebook():
    assert plt.rcParams["figure.dpi"] >= 100 and plt.rcParams["figure.figsize"][0] == 9


def test_every_colour_of_a_line_stands_out_and_most_can_be_text():
    named = [colour for name, colour in colours.COLOURS.items() if name != "V"]
    laws = [colour for colour, _ in colours.LAW_LOOKS.values()]
    cycle = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    for colour in [*named, *laws, *cycle, *colours.PALETTE, colours.GUIDE, *shades(7), *shades(2)]:
        assert contrast(colour) >= 3.0, colour
    for colour in [*named, *colours.PALETTE[:6], colours.TEXT_GREY]:
        assert contrast(colour) >= 4.5, colour
    assert {f"#{colour}" if colour[0] != "#" else colour for colour in cycle} <= set(colours.PALETTE)


def test_names_of_lines_can_be_read_whatever_the_colour():
    for colour in [*colours.PALETTE, *shades(9), "yellow", "white"]:
        assert contrast(readable(colour)) >= 4.5
        assert contrast_of_the_series(colour) == pytest.approx(contrast(colour))
    assert readable(colours.BLUE).upper() == colours.BLUE
    ax = plt.figure().subplots()
    direct_label(ax, 0.5, 0.5, "pale", colours.SKY)
    assert contrast(ax.texts[0].get_color()) >= 4.5


def test_shades_get_lighter_evenly():
    lightness = [1.0 / contrast(shade) for shade in shades(8)]
    assert (np.diff(lightness) > 0).all()


def test_on_a_dark_page_every_colour_stands_out():
    for colour in {*colours.COLOURS.values(), *colours.PALETTE}:
        assert contrast(colours.ON_DARK.get(colour, colour), "#14181E") >= 4.5, colour


@pytest.mark.parametrize("kind", BLIND)
def test_the_first_colours_are_told_apart_by_the_colour_blind(kind):
    seen = {colour: lab_of(colour, BLIND[kind]) for colour in colours.PALETTE[:5]}
    for one, other in combinations(seen, 2):
        assert np.linalg.norm(seen[one] - seen[other]) > 11, (one, other)  # 2 is just noticeable


def lab_of(colour: str, matrix) -> np.ndarray:
    """CIELAB of a colour as a colour-blind reader sees it."""
    rgb = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(np.array(matrix) @ linear, 0, 1)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x, y, z = np.cbrt(np.array(to_xyz) @ linear / [0.9505, 1.0, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])
