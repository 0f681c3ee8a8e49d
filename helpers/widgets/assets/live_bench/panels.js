// The panels: which lines are shown, and on which axes.

// The panels of a result, from top to bottom. `floor` holds the ranges for the neuron's defaults: an axis that only
// grows beyond them seldom changes while a slider moves.
function panelsOf(shown, setting, floor) {
    const { about, states, currents, I } = shown;
    const [first, ...others] = about.states;
    const line = (name, values, isGate = false) => ({ name, values, isGate, look: about.looks[name] });
    const named = (label, unit) => (unit ? `${label} (${unit})` : label);
    const clamped = setting.clamp === "voltage";
    const panels = [];
    if (!clamped) panels.push({ name: "I", label: named("injected", about.current_unit), lines: [line("I", I)], size: 0.28, floor: [0, 0] });
    panels.push({
        name: first,
        label: named(clamped ? `${first}, held` : first, about.units[first]),
        lines: [line(first, states[0])],
        size: clamped ? 0.6 : 1,
        floor: clamped ? [-100, 50] : floor[first],
        mark: clamped ? null : about.threshold,
        note: noteOf(shown, setting)?.brief,
    });
    if (others.length) {
        const gates = others.every((name) => about.gates.includes(name));
        const lines = others.map((name, i) => line(name, states[i + 1], about.gates.includes(name)));
        const ranges = others.map((name) => floor[name]);
        const own = gates ? [0, 1] : [Math.min(...ranges.map((r) => r[0])), Math.max(...ranges.map((r) => r[1]))];
        const units = [...new Set(others.map((name) => about.units[name]))];
        panels.push({ name: "states", label: gates ? "open fraction" : named(others.length > 1 ? "states" : others[0], units.length === 1 ? units[0] : ""), lines, size: currents.length ? 0.62 : 1, floor: own, exact: gates });
    }
    if (currents.length) {
        const lines = about.currents.map((name, i) => line(name, currents[i]));
        panels.push({ name: "currents", label: named("current", about.current_unit), lines, size: 0.7, least: 1 });
    }
    for (const panel of panels) [panel.low, panel.high, panel.ticks] = rangeOf(panel);
    return panels;
}

function rangeOf(panel) {
    if (panel.exact) return [-0.04, 1.04, [0, 0.5, 1]];
    let [low, high] = panel.floor ?? [Infinity, -Infinity];
    for (const line of panel.lines) {
        const [l, h] = extent(line.values);
        low = Math.min(low, l);
        high = Math.max(high, h);
    }
    if (panel.least) [low, high] = [Math.min(low, -panel.least), Math.max(high, panel.least)];
    return padded(low, high, panel.size < 0.4 ? 1 : panel.size < 0.8 ? 3 : 4);
}

function padded(low, high, count) {
    if (!(high > low)) [low, high] = [low - 1, high + 1];
    const step = niceStep((high - low) / count);
    const [a, b] = [Math.floor(low / step + 1e-9) * step, Math.ceil(high / step - 1e-9) * step];
    const ticks = [];
    for (let i = 0; i <= Math.round((b - a) / step); i++) ticks.push(a + i * step);
    const pad = 0.03 * (b - a);
    return [a - pad, b + pad, ticks];
}

const tickText = (value) => String(Number(value.toPrecision(10)) || 0).replace("-", "−");

// What is next to the traces: the phase plane, or under voltage clamp the current-voltage curve.
function planeOf(shown, panels, setting, simulator, command) {
    const { about, states } = shown;
    const first = panels.find((panel) => panel.name === about.states[0]);
    if (setting.clamp === "voltage") {
        const curves = simulator.peaks(setting);
        const panel = { least: 1, size: 1, lines: about.currents.map((name, i) => ({ name, values: curves[i], look: about.looks[name] })) };
        const [low, high, ticks] = rangeOf(panel);
        const rings = about.currents.map((_, i) => shown.currents[i][peakOf(shown.currents[i], shown.on, shown.off)]);
        const [left, right, xTicks] = padded(command.levels[0], command.levels[command.levels.length - 1], 4);
        const label = `peak current (${about.current_unit})`;
        return { ...panel, low, high, ticks, left, right, xTicks, x: command.levels, rings, ringed: setting.command.test, label, xLabel: "test potential (mV)" };
    }
    const which = about.states.indexOf(setting.plane);
    if (which < 1) return null;
    const gate = about.gates.includes(setting.plane);
    const others = panels.find((panel) => panel.name === "states");
    const line = { name: setting.plane, values: states[which], look: about.looks[about.states[0]] };
    const [low, high, ticks] = gate ? [-0.04, 1.04, [0, 0.5, 1]] : rangeOf({ lines: [line], floor: others.lines.length === 1 ? others.floor : undefined, size: 1 });
    const unit = (name) => (about.units[name] ? `${name} (${about.units[name]})` : name);
    const label = `phase plane: ${unit(setting.plane)} against ${about.states[0]}`;
    return { label, lines: [line], x: states[0], low, high, ticks, left: first.low, right: first.high, xTicks: first.ticks, xLabel: unit(about.states[0]) };
}
