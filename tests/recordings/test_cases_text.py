"""Text files that people have, of the folder `cases`: read right, or refused with the line and the way round."""

# ruff: noqa: E501  (the tables below)

import re

import numpy as np
import pytest

from helpers.recordings.reading import number_of_sweeps, open_file, read

UNITS = {0: "ms", 1: "mV", 2: "pA"}
READ = {
    "01_plain.csv": {}, "02_bom_crlf.csv": {}, "03_semicolon_decimal_comma.csv": {}, "04_tab.csv": {},
    "06_clampfit_names.csv": {}, "07_time_s.csv": {}, "08_time_s_rounded4.csv": {}, "09_no_header.csv": {"units": UNITS},
    "10_no_current.csv": {}, "11_units_in_name.csv": {}, "13_latin1_micro.csv": {}, "14_utf16_excel.csv": {},
    "15_trailing_comma.csv": {}, "16_pandas_index.csv": {}, "18_metadata_rows.csv": {}, "19_sec.csv": {},
    "21_excel_sep_line.csv": {}, "22_last_row_nan.csv": {}, "23_minus_unicode.csv": {}, "26_rng_noisy_I.csv": {},
    "27_cr_only.csv": {}, "29_time_hms.csv": {}, "31_clampfit_atf.csv": {}, "32_clampfit.txt": {},
    "35_patchmaster_asc.csv": {}, "37_V_in_V_named_mV.csv": {"units": {"V": "V"}},
    "38_nA_named_A.csv": {"units": {"I": "pA"}}, "39_empty_cells.csv": {}, "40_comment_header_percent.csv": {},
}  # fmt: skip
SAID = {
    "08_time_s_rounded4.csv": r"times are rounded to 1 ms: they were read as evenly spaced, 0\.1 ms apart",
    "22_last_row_nan.csv": "line 2002 at the end of the sweep was left out",
}
REFUSED = {
    "09_no_header.csv": r", line 1: no line names the columns, .*units=\{0: 'ms', 1: 'mV', 2: 'pA'\}",
    "24_uneven_jitter.csv": r", line 481: t goes from 47\.722 to 47\.9093 ms, .*To resample: .*np\.interp",
    "25_dropped_sample.csv": r", line 502: t goes from 49\.9 to 50\.1 ms, .*To resample: .*np\.interp",
    "36_thousands.csv": r", line 502, column 'I \(pA\)': '1,100\.0' .*thousands",
    "37_V_in_V_named_mV.csv": r", sweep 0: V \('V \(mV\)' in line 1\) stays within ±0\.07 mV.*units=\{'V': 'V'\}",
    "38_nA_named_A.csv": r", sweep 0: I \('I \(nA\)' in line 1\) reaches 1e\+05 pA.*units=\{'I': 'pA'\}",
}


@pytest.mark.parametrize("name", READ)
def test_text_that_people_have_is_read(cases, name):
    path = cases / "text" / name
    if name in SAID:
        with pytest.warns(UserWarning, match=f"{re.escape(name)}, sweep 0: {SAID[name]}"):
            trace = read(path)
    else:
        trace = read(path, **READ[name])
    np.testing.assert_allclose(trace.t, 0.1 * np.arange(2000), atol=1e-9)
    assert number_of_sweeps(path) == 1 if "units" not in READ[name] else True
    # a passive rise of 5 mV in the step, tau 10 ms, with spikes cut out of 30 mV
    assert (trace.V[0], trace.V[-1]) == (pytest.approx(-70.0), pytest.approx(-65.0))
    if name == "10_no_current.csv":
        with pytest.raises(ValueError, match=r"give the current yourself: current="):
            _ = trace.I
        return
    inside = (trace.t > 49.95) & (trace.t < 149.95)
    np.testing.assert_allclose(trace.I, np.where(inside, 100.0, 0.0), atol=5.0 if "noisy" in name else 1e-6)
    assert (trace.start, trace.stop) == (pytest.approx(50.0, abs=0.11), pytest.approx(150.0, abs=0.11))


@pytest.mark.parametrize("name", REFUSED)
def test_text_that_people_have_is_refused_with_the_way_round(cases, name):
    with pytest.raises(ValueError, match=re.escape(name) + REFUSED[name]):
        read(cases / "text" / name)


def test_headings_that_are_units(cases):
    trace = read(cases / "text" / "42_sanpy_two.csv")
    np.testing.assert_allclose(trace.t, 0.1 * np.arange(100), atol=1e-9)
    assert trace.V[1] == -64.9 and not trace.has_current


def test_every_text_is_judged(cases):
    names = {path.name for path in (cases / "text").iterdir()}
    assert names <= {*READ, *REFUSED, "42_sanpy_two.csv"}
    assert all(open_file(cases / "text" / name).notes for name in names - {"09_no_header.csv", "36_thousands.csv"})
