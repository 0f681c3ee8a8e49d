// The live bench: integrates a neuron here, in the browser, and draws it anew in every frame while a slider is dragged.
// live.py gives it data (see `standalone` there): neurons with their equations as JavaScript, and what is set.
//
//   1 the neuron     makeSimulator(data): current clamp, voltage clamp, current-voltage curve; runs without a page, too
//   2 the words      what the picture shows, for everybody and for a screen reader
//   3 the picture    one canvas, redrawn as a whole: about a millisecond
//   4 the bench      puts them together, with the controls of controls.js: render({model, el})

// ------------------------------------------------------------------------------------------------ 1 the neuron

const OUT_OF_BOUNDS = 2 ** 20; // as in the simulator

// points: how many samples a trace has, besides the first. All arrays are used again by the next run.
export function makeSimulator({ neurons, protocols, command, points: n, noise_key: key }) {
    const waveforms = {};
    let normals = new Float64Array(0);
    for (const [name, entry] of Object.entries(protocols)) waveforms[name] = new Function(entry.text)();
    const cells = {};

    function cellOf(name) {
        if (!cells[name]) {
            const about = neurons[name];
            const equations = new Function(about.text)();
            cells[name] = {
                about,
                equations,
                x: new Float64Array(about.states.length),
                k: new Float64Array(equations.constants.length),
                flows: new Float64Array(about.currents.length),
                states: about.states.map(() => new Float64Array(n + 1)),
                currents: about.currents.map(() => new Float64Array(n + 1)),
                I: new Float64Array(n + 1),
                injected: new Float64Array(n + 1),
                settled: { key: "", x: new Float64Array(about.states.length) },
            };
        }
        return cells[name];
    }

    function prepare(setting) {
        const cell = cellOf(setting.neuron);
        cell.equations.constants.forEach((name, i) => (cell.k[i] = setting.parameters[name] ?? 0));
        cell.equations.derive(cell.k);
        return cell;
    }

    // The states after standing without current and noise; computed again only if a parameter has changed.
    function settle(cell, setting) {
        const key = JSON.stringify(setting.parameters);
        if (cell.settled.key !== key) {
            const x = cell.settled.x;
            cell.equations.start(x, cell.k);
            const [time, dt] = cell.about.settling;
            const steps = Math.round(time / dt);
            for (let i = 0; i < steps; i++) cell.equations.step(x, cell.k, 0, dt);
            cell.settled.key = key;
        }
        cell.x.set(cell.settled.x);
    }

    function inject(cell, setting, dt, steps) {
        const now = JSON.stringify([setting.protocol, setting.stimulus, dt]);
        if (cell.injects === now) return cell.injected;
        cell.injects = now;
        if (cell.injected.length !== steps + 1) cell.injected = new Float64Array(steps + 1);
        const protocol = protocols[setting.protocol];
        const known = { ...setting.stimulus, ...times(setting) };
        const values = protocol.arguments.map((part) => (typeof part === "number" ? part : known[part]));
        const clock = protocol.arguments.indexOf("t");
        const waveform = waveforms[setting.protocol];
        for (let i = 0; i <= steps; i++) {
            values[clock] = (i + 1e-6) * dt; // just inside the interval, where a step has switched
            cell.injected[i] = waveform(...values);
        }
        return cell.injected;
    }

    function record(cell, i, shown) {
        const { x, k, states, currents, flows } = cell;
        const first = x[0];
        x[0] = shown;
        for (let j = 0; j < states.length; j++) states[j][i] = x[j];
        cell.equations.currents(x, k, flows);
        for (let j = 0; j < currents.length; j++) currents[j][i] = flows[j];
        x[0] = first;
    }

    function result(cell, T, spikes, failure = "") {
        const { about, states, currents, I } = cell;
        return { about, T, dt: T / n, n, states, currents, I, spikes, failure };
    }

    // Steps are shorter than samples where that is what the neuron needs; spikes are looked for at every step.
    function currentClamp(setting) {
        const cell = prepare(setting);
        const { about, equations, x, k, I } = cell;
        const T = setting.duration;
        const every = about.durations[String(T)];
        const steps = n * every;
        const dt = T / steps;
        settle(cell, setting);
        const injected = inject(cell, setting, dt, steps);
        const intensity = (setting.parameters.noise ?? 0) / Math.sqrt(dt);
        if (intensity && normals.length < steps) normals = standardNormals(BigInt(key), steps);
        const spikes = [];
        let last = x[0];
        I[0] = injected[0];
        record(cell, 0, last);
        for (let i = 0; i < steps; i++) {
            const shown = equations.step(x, k, intensity ? injected[i] + intensity * normals[i] : injected[i], dt);
            if (!(Math.abs(shown) < OUT_OF_BOUNDS)) {
                return result(cell, T, spikes, `${about.states[0]} leaves all bounds after ${(i * dt).toFixed(2)} ms`);
            }
            if (last < about.threshold && shown >= about.threshold) {
                spikes.push((i + (about.threshold - last) / (shown - last)) * dt);
            }
            last = shown;
            if ((i + 1) % every === 0) {
                record(cell, (i + 1) / every, shown);
                I[(i + 1) / every] = injected[i + 1];
            }
        }
        return result(cell, T, spikes);
    }

    function voltageClamp(setting) {
        const cell = prepare(setting);
        const { x, k } = cell;
        const { holding, test } = setting.command;
        const [before, during, after] = command.times;
        const T = before + during + after;
        const dt = T / n;
        const on = Math.round((before / T) * n);
        const off = Math.round(((before + during) / T) * n);
        x[0] = holding;
        cell.equations.steady(x, k);
        for (let i = 0; i <= n; i++) {
            if (i > 0) cell.equations.relax(x, k, dt);
            x[0] = i >= on && i < off ? test : holding;
            record(cell, i, x[0]);
        }
        return { ...result(cell, T, []), on, off };
    }

    // The current of largest size during a step to each level, by current: the current-voltage curve.
    function peaks(setting, dt = 0.1) {
        const cell = prepare(setting);
        const { x, k, flows } = cell;
        const steps = Math.round(command.times[1] / dt);
        const curves = cell.about.currents.map(() => new Float64Array(command.levels.length));
        command.levels.forEach((level, i) => {
            x[0] = setting.command.holding;
            cell.equations.steady(x, k);
            x[0] = level;
            for (let step = 0; step < steps; step++) {
                if (step > 0) cell.equations.relax(x, k, dt);
                cell.equations.currents(x, k, flows);
                curves.forEach((curve, j) => {
                    if (step === 0 || Math.abs(flows[j]) > Math.abs(curve[i])) curve[i] = flows[j];
                });
            }
        });
        return curves;
    }

    return { n, currentClamp, voltageClamp, peaks };
}

// N(0, 1) numbers that depend on the key and the step only, two from each hashed counter, by the very polynomials of
// `standard_normals` in kernels.py: a chaotic neuron would show the smallest difference.
export function standardNormals(key, count) {
    const mask = (1n << 64n) - 1n;
    const golden = 0x9e3779b97f4a7c15n;
    const mix = (word) => {
        word = ((word ^ (word >> 30n)) * 0xbf58476d1ce4e5b9n) & mask;
        word = ((word ^ (word >> 27n)) * 0x94d049bb133111ebn) & mask;
        return word ^ (word >> 31n);
    };
    const polynomial = (x, coefficients) => coefficients.reduce((sum, c) => sum * x + c);
    const number = new Float64Array(1);
    const words = new Uint32Array(number.buffer);
    const log = (x) => {
        number[0] = x;
        let exponent = (words[1] >>> 20) - 1023;
        let f = x / 2 ** exponent;
        if (f > Math.SQRT2) [exponent, f] = [exponent + 1, 0.5 * f];
        return exponent * Math.LN2 + polynomial(f - 1, LOG) * (f - 1);
    };
    const normals = new Float64Array(2 * Math.ceil(count / 2));
    for (let i = 0; i < normals.length; i += 2) {
        const word = mix((key + BigInt(i / 2) * golden) & mask);
        const [one, two] = [Number(word >> 32n) / 2 ** 32, Number(word & 0xffffffffn) / 2 ** 32];
        const radius = Math.fround(Math.sqrt(Math.fround(-2 * log(1 - one))));
        const quarter = 0.5 * (two - 0.5); // half the angle, in turns
        const sine = quarter * polynomial(quarter * quarter, SINE);
        normals[i] = radius * (2 * sine * polynomial(quarter * quarter, COSINE));
        normals[i + 1] = radius * (1 - 2 * sine * sine);
    }
    return normals;
}

const SINE = [39.7598270853191, -76.58117264427872, 81.60247636892518, -41.34168061334652, 6.283185280154407];
const COSINE = [56.238700435296806, -85.23987025839904, 64.93457265220157, -19.739171209957835, 0.9999999530275123];
const LOG = [
    -0.07451186226757509, 0.12806610435006952, -0.1326603136091708, 0.14199650097916022, -0.16608369414088409,
    0.20000939440373094, -0.2500157909915946, 0.33333345349807464, -0.49999988496142866, 0.999999999383255,
];

// When a stimulus begins and ends, and when the picture does, as `times` in live_data.py.
function times({ duration, stimulus }) {
    return { start: duration / 10, stop: duration / 10 + stimulus.length, end: duration };
}

// ------------------------------------------------------------------------------------------------ 2 the words

function extent(values, from = 0, to = values.length) {
    let low = Infinity;
    let high = -Infinity;
    for (let i = from; i < to; i++) {
        if (values[i] < low) low = values[i];
        if (values[i] > high) high = values[i];
    }
    return [low, high];
}

function peakOf(values, from = 0, to = values.length) {
    let peak = from;
    for (let i = from; i < to; i++) if (Math.abs(values[i]) > Math.abs(values[peak])) peak = i;
    return peak;
}

export function inWords(shown, setting) {
    const { about, states, currents, spikes, failure } = shown;
    if (failure) return `No picture: ${failure}.`;
    const first = about.states[0];
    const unit = about.units[first];
    if (setting.clamp === "voltage") {
        const { holding, test } = setting.command;
        const parts = about.currents.map((name, i) => {
            const peak = peakOf(currents[i], shown.on, shown.off);
            return `${name} ${Math.round(currents[i][peak])} after ${((peak - shown.on) * shown.dt).toFixed(2)} ms`;
        });
        return `From ${short(holding)} to ${short(test)} mV, peak currents: ${parts.join(", ")}; in ${about.current_unit}, outward positive.`;
    }
    const count = spikes.length;
    const rate = count > 1 ? `, ${((1000 * (count - 1)) / (spikes[count - 1] - spikes[0])).toFixed(1)} Hz` : "";
    const [low, high] = extent(states[0]);
    const range = `${states[0][0].toFixed(1)} ${unit}`.trim();
    const peaks = about.currents.map((name, i) => `${name} ${Math.round(currents[i][peakOf(currents[i])])}`);
    const largest = peaks.length ? ` Largest currents: ${peaks.join(", ")} ${about.current_unit} (outward positive).` : "";
    return (
        `${count} spike${count === 1 ? "" : "s"} (${first} rising through ${withUnit(short(about.threshold), unit)})${rate}. ` +
        `${first} is ${range} at the start, then between ${low.toFixed(1)} and ${withUnit(high.toFixed(1), unit)}.${largest}`
    );
}

// About three digits, with a true minus sign, so that a number does not change its width all the time.
function reading(value, isGate) {
    const size = Math.abs(value);
    const digits = isGate ? 3 : size >= 100 ? 0 : size >= 10 ? 1 : 2;
    return value.toFixed(digits).replace(/^-0(\.0*)?$/, "0$1").replace("-", "−");
}

function momentInWords(shown, at) {
    const { about, states, currents } = shown;
    const parts = about.states.map((name, i) => withUnit(`${name} ${reading(states[i][at], about.gates.includes(name))}`, about.units[name]));
    const flows = about.currents.map((name, i) => withUnit(`${name} ${reading(currents[i][at], false)}`, about.current_unit));
    return `${(at * shown.dt).toFixed(2)} ms: ${[...parts, ...flows].join(", ")}`;
}

// ------------------------------------------------------------------------------------------------ 3 the picture

const LEFT = 46; // px, for the numbers beside an axis
const RIGHT = 10;
const HEADER = 21;
const AXIS = 36;
const GAP = 6;
const NARROW = 420; // of the traces: a phone, or a page at 200 %
const LIGHTER = { "#0072B2": "#56B4E9", "#7F7F7F": "#A6A6A6", "#B0568A": "#CC79A7" }; // on a dark page

// The panels of a result, from top to bottom. `floor` are the ranges that the first picture of this neuron had: an
// axis that only grows beyond them keeps still while a slider moves.
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

export function makePicture(canvas, host) {
    const ctx = canvas.getContext("2d");
    let theme = {};
    let boxes = []; // where the panels lie

    function readTheme() {
        const style = getComputedStyle(host);
        theme = { text: style.color, font: style.fontFamily, dark: host.style.colorScheme === "dark" };
    }

    // Where each panel lies on a canvas of this width, from top to bottom; returns the height of all.
    function layout(panels, width, unit) {
        let y = 0;
        boxes = panels.map((panel) => {
            const rows = headerRows(panel, width - LEFT - RIGHT);
            const box = { panel, rows, x: LEFT, y: y + HEADER * rows, width: width - LEFT - RIGHT, height: Math.round(unit * panel.size) };
            y = box.y + box.height + GAP;
            return box;
        });
        return y - GAP + AXIS;
    }

    // How many lines the names and numbers above a panel take.
    function headerRows(panel, room) {
        ctx.font = `12px ${theme.font}`;
        let [x, rows] = [ctx.measureText(panel.label).width + 14, 1];
        for (const line of panel.lines) {
            const width = entryWidth(line);
            if (x + width > room && x > 0) [x, rows] = [0, rows + 1];
            x += width;
        }
        return rows;
    }

    const entryWidth = (line) => 26 + nameWidth(line.name) + 5 + ctx.measureText(line.isGate ? "0.000" : "−0000").width + 12;

    function nameWidth(name) {
        const [head, index] = split(name);
        ctx.font = `12px ${theme.font}`;
        let width = ctx.measureText(head).width;
        if (index) {
            ctx.font = `9px ${theme.font}`;
            width += ctx.measureText(index).width;
            ctx.font = `12px ${theme.font}`;
        }
        return width;
    }

    function drawName(name, x, y) {
        const [head, index] = split(name);
        ctx.font = `12px ${theme.font}`;
        ctx.fillText(head, x, y);
        if (!index) return x + ctx.measureText(head).width;
        x += ctx.measureText(head).width;
        ctx.font = `9px ${theme.font}`;
        ctx.fillText(index, x, y + 3);
        x += ctx.measureText(index).width;
        ctx.font = `12px ${theme.font}`;
        return x;
    }

    // Black, the colour of V, is that of the text, whatever the page.
    const colourOf = ([colour]) => (colour === "#000000" ? theme.text : theme.dark ? (LIGHTER[colour] ?? colour) : colour);

    function pen(look, width = 1.7) {
        ctx.strokeStyle = colourOf(look);
        ctx.lineWidth = width;
        ctx.setLineDash(look[1].map((dash) => Math.max(dash * width, 1)));
        ctx.lineJoin = "round";
    }

    function header(box, at) {
        const { panel } = box;
        let x = box.x;
        let y = box.y - HEADER * box.rows + 14;
        ctx.fillStyle = theme.text;
        ctx.textAlign = "left";
        ctx.font = `600 12px ${theme.font}`;
        ctx.fillText(panel.label, x, y);
        ctx.font = `12px ${theme.font}`;
        x += ctx.measureText(panel.label).width + 20;
        for (const line of panel.lines) {
            if (x + entryWidth(line) > box.x + box.width + RIGHT && box.rows > 1 && x > box.x) {
                x = box.x;
                y += HEADER - 3;
            }
            const end = x + entryWidth(line);
            pen(line.look, 2);
            ctx.beginPath();
            ctx.moveTo(x, y - 4);
            ctx.lineTo(x + 21, y - 4);
            ctx.stroke();
            const after = drawName(line.name, x + 26, y);
            if (at !== null) ctx.fillText(reading(line.values[at], line.isGate), after + 5, y);
            x = end;
        }
    }

    function frame(box, ticks, yOf, grid = true) {
        ctx.setLineDash([]);
        ctx.lineWidth = 1;
        ctx.font = `11px ${theme.font}`;
        ctx.fillStyle = theme.text;
        ctx.textAlign = "right";
        for (const tick of ticks) {
            const y = Math.round(yOf(tick)) + 0.5;
            ctx.strokeStyle = theme.text;
            ctx.globalAlpha = 0.14;
            if (grid) strokeLine(box.x, y, box.x + box.width, y);
            ctx.globalAlpha = 1;
            ctx.fillText(tickText(tick), box.x - 6, y + 3.5);
        }
        ctx.globalAlpha = 0.6;
        ctx.strokeStyle = theme.text;
        strokeLine(box.x - 0.5, box.y, box.x - 0.5, box.y + box.height);
        ctx.globalAlpha = 1;
    }

    function strokeLine(x0, y0, x1, y1) {
        ctx.beginPath();
        ctx.moveTo(x0, y0);
        ctx.lineTo(x1, y1);
        ctx.stroke();
    }

    function bottomAxis(box, ticks, xOf, label) {
        const y = box.y + box.height + 1.5;
        ctx.setLineDash([]);
        ctx.lineWidth = 1;
        ctx.strokeStyle = theme.text;
        ctx.globalAlpha = 0.6;
        strokeLine(box.x - 0.5, y, box.x + box.width, y);
        for (const tick of ticks) strokeLine(Math.round(xOf(tick)) + 0.5, y, Math.round(xOf(tick)) + 0.5, y + 4);
        ctx.globalAlpha = 1;
        ctx.font = `11px ${theme.font}`;
        ctx.fillStyle = theme.text;
        ctx.textAlign = "center";
        for (const tick of ticks) ctx.fillText(tickText(tick), xOf(tick), y + 16);
        ctx.font = `12px ${theme.font}`;
        ctx.fillText(label, box.x + box.width / 2, y + 31);
    }

    // Of the many samples in a column of pixels only the lowest and the highest can be seen.
    function polyline(values, box, yOf) {
        const n = values.length;
        const stride = Math.max(1, Math.floor(n / box.width));
        const dx = box.width / (n - 1);
        ctx.beginPath();
        for (let i = 0; i < n; i += stride) {
            let [low, high] = [i, i];
            for (let j = i + 1; j < Math.min(i + stride, n); j++) {
                if (values[j] < values[low]) low = j;
                if (values[j] > values[high]) high = j;
            }
            const [one, two] = low < high ? [low, high] : [high, low];
            ctx.lineTo(box.x + one * dx, yOf(values[one]));
            if (two !== one) ctx.lineTo(box.x + two * dx, yOf(values[two]));
        }
        ctx.stroke();
    }

    function clipped(box, draw) {
        ctx.save();
        ctx.beginPath();
        ctx.rect(box.x, box.y - 1, box.width, box.height + 2);
        ctx.clip();
        draw();
        ctx.restore();
    }

    function overTime(box, shown, at) {
        const { panel } = box;
        const yOf = (value) => box.y + (box.height * (panel.high - value)) / (panel.high - panel.low);
        frame(box, panel.ticks, yOf);
        clipped(box, () => {
            if (panel.mark !== null && panel.mark !== undefined) {
                ctx.strokeStyle = theme.text;
                ctx.lineWidth = 1;
                ctx.globalAlpha = 0.55;
                ctx.setLineDash([2, 3]);
                strokeLine(box.x, yOf(panel.mark), box.x + box.width, yOf(panel.mark));
                ctx.globalAlpha = 1;
            }
            for (const line of panel.lines) {
                pen(line.look);
                polyline(line.values, box, yOf);
            }
            const x = box.x + (box.width * at) / shown.n;
            ctx.setLineDash([]);
            ctx.strokeStyle = theme.text;
            ctx.lineWidth = 1;
            ctx.globalAlpha = 0.5;
            strokeLine(x, box.y, x, box.y + box.height);
            ctx.globalAlpha = 1;
            for (const line of panel.lines) {
                ctx.fillStyle = colourOf(line.look);
                disc(x, yOf(line.values[at]), 3);
            }
        });
        header(box, at);
    }

    function disc(x, y, radius) {
        ctx.beginPath();
        ctx.arc(x, y, radius, 0, 2 * Math.PI);
        ctx.fill();
    }

    function inPlane(box, at) {
        const { panel } = box;
        const xOf = (value) => box.x + (box.width * (value - panel.left)) / (panel.right - panel.left);
        const yOf = (value) => box.y + (box.height * (panel.high - value)) / (panel.high - panel.low);
        frame(box, panel.ticks, yOf);
        bottomAxis(box, panel.xTicks, xOf, panel.xLabel);
        clipped(box, () => {
            for (const line of panel.lines) {
                pen(line.look);
                ctx.beginPath();
                let [x, y] = [Infinity, Infinity];
                for (let i = 0; i < line.values.length; i++) {
                    const [px, py] = [xOf(panel.x[i]), yOf(line.values[i])];
                    if (Math.abs(px - x) + Math.abs(py - y) < 0.7 && i < line.values.length - 1) continue;
                    [x, y] = [px, py];
                    ctx.lineTo(px, py);
                }
                ctx.stroke();
            }
            ctx.setLineDash([]);
            if (panel.rings) {
                for (const [i, value] of panel.rings.entries()) {
                    ctx.strokeStyle = colourOf(panel.lines[i].look);
                    ctx.lineWidth = 2;
                    ctx.beginPath();
                    ctx.arc(xOf(panel.ringed), yOf(value), 5, 0, 2 * Math.PI);
                    ctx.stroke();
                }
            } else {
                ctx.fillStyle = colourOf(panel.lines[0].look);
                disc(xOf(panel.x[at]), yOf(panel.lines[0].values[at]), 5);
            }
        });
        ctx.fillStyle = theme.text;
        ctx.textAlign = "left";
        ctx.font = `600 12px ${theme.font}`;
        ctx.fillText(panel.label, box.x, box.y - HEADER + 14);
    }

    function resize(width, height) {
        const ratio = globalThis.devicePixelRatio || 1;
        const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
        if (canvas.width !== w || canvas.height !== h) {
            [canvas.width, canvas.height] = [w, h];
            canvas.style.height = `${height}px`;
        }
        ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
        ctx.clearRect(0, 0, width, height);
    }

    // The panels over time, with the cursor at sample `at`; returns the height of the picture.
    function drawTraces(shown, panels, at, width) {
        const height = layout(panels, width, width < NARROW ? 68 : 132);
        resize(width, height);
        for (const box of boxes) overTime(box, shown, at);
        const last = boxes[boxes.length - 1];
        const ticks = padded(0, shown.T, width < NARROW ? 4 : 5)[2].filter((tick) => tick <= shown.T * (1 + 1e-9));
        bottomAxis(last, ticks, (t) => last.x + (last.width * t) / shown.T, "time (ms)");
        return height;
    }

    function drawPlane(panel, at, available, height) {
        const width = Math.min(available, 480);
        const room = Math.max(60, Math.min(height - HEADER - AXIS, 1.25 * (width - LEFT - RIGHT)));
        boxes = [{ panel, rows: 1, x: LEFT, y: HEADER, width: width - LEFT - RIGHT, height: room }];
        canvas.style.width = `${width}px`;
        resize(width, HEADER + room + AXIS);
        inPlane(boxes[0], at);
    }

    // The sample under the pointer; null where there is none.
    function timeAt(x, n) {
        const { x: left, width } = boxes[0];
        return x < left - 8 || x > left + width + 8 ? null : Math.round(Math.min(1, Math.max(0, (x - left) / width)) * n);
    }

    function nearestInPlane(x, y) {
        const { panel, ...box } = boxes[0];
        if (panel.rings) return null;
        let [nearest, least] = [0, Infinity];
        for (let i = 0; i < panel.x.length; i++) {
            const dx = (box.width * (panel.x[i] - panel.left)) / (panel.right - panel.left) - (x - box.x);
            const dy = (box.height * (panel.high - panel.lines[0].values[i])) / (panel.high - panel.low) - (y - box.y);
            if (dx * dx + dy * dy < least) [nearest, least] = [i, dx * dx + dy * dy];
        }
        return nearest;
    }

    return { drawTraces, drawPlane, readTheme, timeAt, nearestInPlane };
}

// What stands beside the traces: the phase plane, or under voltage clamp the current-voltage curve.
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
    const line = { name: setting.plane, values: states[which], look: ["#000000", []] };
    const [low, high, ticks] = gate ? [-0.04, 1.04, [0, 0.5, 1]] : rangeOf({ lines: [line], floor: others.lines.length === 1 ? others.floor : undefined, size: 1 });
    const unit = (name) => (about.units[name] ? `${name} (${about.units[name]})` : name);
    const label = `phase plane: ${unit(setting.plane)} against ${about.states[0]}`;
    return { label, lines: [line], x: states[0], low, high, ticks, left: first.low, right: first.high, xTicks: first.ticks, xLabel: unit(about.states[0]) };
}

// ------------------------------------------------------------------------------------------------ 4 the bench

const OWN = "your own values";
const QUIET = 500; // ms without a change until the words are spoken

function defaultsOf(data, name, duration = data.neurons[name].duration) {
    const about = data.neurons[name];
    const values = (dials) => Object.fromEntries(dials.map((dial) => [dial.name, dial.default]));
    return {
        neuron: name,
        clamp: "current",
        protocol: "step",
        duration,
        plane: about.states[1] ?? "",
        parameters: { ...about.fixed, ...values(about.parameters) },
        stimulus: values(about.stimulus[String(duration)]),
        command: values(data.command.dials),
    };
}

function makeBench(model, el) {
    const data = Object.fromEntries(["neurons", "protocols", "command", "points", "noise_key"].map((name) => [name, model.get(name)]));
    const simulator = makeSimulator(data);
    let setting = structuredClone(model.get("setting"));
    let [shown, panels, plane, floor] = [null, [], null, {}];
    let at = Math.round(simulator.n / 10);
    let [wanted, playing, then, rerun] = [0, false, 0, true];
    let [speaking, places] = [0, {}];
    let dials = [];
    const about = () => data.neurons[setting.neuron];
    const stimulusDials = () => about().stimulus[String(setting.duration)];

    // --- what stands on the page

    const root = element("div", { className: "live-bench pyhh-controls", role: "group", "aria-label": "Live bench: a neuron that you can change while it runs" });
    const canvas = element("canvas", { role: "img", "aria-label": "traces of the neuron" });
    const planeCanvas = element("canvas", { role: "img", "aria-label": "phase plane" });
    const picture = element("div", { className: "traces" }, canvas);
    const beside = element("div", { className: "plane" }, planeCanvas);
    const words = element("p", { className: "words" });
    const spoken = element("p", { className: "spoken", "aria-live": "polite" });
    const source = element("p", { className: "about" });
    const draws = makePicture(canvas, root);
    const drawsPlane = makePicture(planeCanvas, root);

    const change = (values) => { Object.assign(setting, values); rebuild(); send(); };
    const choices = {
        neuron: makeChoice("neuron", (name) => { setting = defaultsOf(data, name); rebuild(); send(); }),
        preset: makeChoice("preset", (name) => {
            if (about().presets[name]) change({ parameters: { ...about().presets[name][1] } });
        }),
        clamp: makeChoice("clamp", (clamp) => change({ clamp })),
        protocol: makeChoice("protocol", (protocol) => change({ protocol })),
        duration: makeChoice("time shown", (text) => {
            const duration = Number(text);
            const { stimulus } = defaultsOf(data, setting.neuron, duration);
            const fits = (dial) => [dial.name, dial.name === "length" ? stimulus.length : Math.min(dial.high, setting.stimulus[dial.name])];
            change({ duration, stimulus: Object.fromEntries(about().stimulus[text].map(fits)) });
        }),
        plane: makeChoice("phase plane", (plane) => change({ plane })),
    };
    const resetAll = element("button", {
        type: "button", className: "reset-all",
        onclick: () => { const { clamp, protocol, plane } = setting; setting = { ...defaultsOf(data, setting.neuron), clamp, protocol, plane }; rebuild(); send(); },
    });
    const bar = element("div", { className: "choices" }, ...Object.values(choices).map((choice) => choice.label), resetAll);

    const play = element("button", { type: "button", className: "play", onclick: () => (playing ? pause() : run()) });
    const stepBack = element("button", { type: "button", title: "one step back", onclick: () => { pause(); move(at - stepOf()); } }, "◀ step");
    const stepOn = element("button", { type: "button", title: "one step on", onclick: () => { pause(); move(at + stepOf()); } }, "step ▶");
    const clock = element("input", { type: "range", min: 0, max: simulator.n, step: stepOf(), className: "clock", "aria-label": "time cursor", oninput: () => { pause(); move(clock.valueAsNumber); } });
    const speed = makeChoice("speed", () => {}, "speed");
    const moment = element("output", { className: "moment" });
    const transport = element("div", { className: "transport", role: "group", "aria-label": "time cursor" }, play, stepBack, stepOn, clock, moment, speed.label);
    const stimulusGroup = element("fieldset", { className: "dials" });
    const neuronGroup = element("fieldset", { className: "dials" });
    root.append(element("div", { className: "body" }, bar, source, picture, beside, transport, words, spoken, stimulusGroup, neuronGroup));
    el.append(root);

    function stepOf() {
        return Math.round(simulator.n / 1000);
    }

    // --- from what is set to what is shown

    // The parts that depend on the neuron, the clamp and the protocol. Dials keep their places while values change.
    function rebuild() {
        const clamped = setting.clamp === "voltage";
        choices.neuron.fill(Object.keys(data.neurons).map((name) => [name, name]), setting.neuron);
        choices.clamp.fill([["current", "current clamp"], ["voltage", "voltage clamp"]], setting.clamp);
        choices.protocol.fill(Object.keys(data.protocols).map((name) => [name, name]), setting.protocol);
        const durations = Object.keys(about().durations).sort((a, b) => a - b);
        choices.duration.fill(durations.map((T) => [T, `${T} ms`]), String(setting.duration));
        choices.plane.fill(about().states.slice(1).map((name) => [name, `${name} against ${about().states[0]}`]), setting.plane);
        choices.clamp.label.hidden = !about().clamped;
        choices.protocol.label.hidden = choices.duration.label.hidden = clamped;
        choices.plane.label.hidden = clamped || about().states.length < 2;
        choices.preset.label.hidden = !Object.keys(about().presets).length;
        const T = clamped ? data.command.times.reduce((a, b) => a + b) : setting.duration;
        speed.fill([2, 10, 50].map((parts) => [String(parts), `${Number((T / parts).toPrecision(3))} ms per second`]), speed.select.value || "10");

        const dialOf = (group) => (declared) =>
            makeDial(declared, {
                get: () => setting[group][declared.name],
                set: (value) => { setting[group][declared.name] = value; request(true); },
                send,
            });
        const used = data.protocols[setting.protocol].dials;
        const key = JSON.stringify([setting.neuron, setting.clamp, setting.protocol, setting.duration]);
        if (root.dataset.key !== key) {
            const top = clamped ? data.command.dials.map(dialOf("command")) : stimulusDials().filter((dial) => used.includes(dial.name)).map(dialOf("stimulus"));
            const own = about().parameters.map(dialOf("parameters"));
            dials = [...top, ...own];
            stimulusGroup.replaceChildren(element("legend", {}, clamped ? "voltage clamp" : "injected current"), ...top.map((dial) => dial.row));
            neuronGroup.replaceChildren(element("legend", {}, "neuron"), ...own.map((dial) => dial.row));
            root.dataset.key = key;
            floor = floorOf();
        }
        request(true);
    }

    function floorOf() {
        const usual = simulator.currentClamp(defaultsOf(data, setting.neuron, setting.duration));
        return Object.fromEntries(about().states.map((name, i) => [name, extent(usual.states[i])]));
    }

    function presetNow() {
        const alike = ([, values]) => Object.entries(values).every(([name, value]) => setting.parameters[name] === value);
        return Object.entries(about().presets).find(([, preset]) => alike(preset))?.[0] ?? OWN;
    }

    function simulate() {
        shown = setting.clamp === "voltage" ? simulator.voltageClamp(setting) : simulator.currentClamp(setting);
        picture.hidden = beside.hidden = Boolean(shown.failure);
        words.textContent = inWords(shown, setting);
        if (!shown.failure) {
            panels = panelsOf(shown, setting, floor);
            plane = planeOf(shown, panels, setting, simulator, data.command);
            beside.hidden = !plane;
        }
        for (const dial of dials) dial.show();
        const off = dials.filter((dial) => dial.isOff()).length;
        resetAll.textContent = off ? `↺ reset all (${off})` : "↺ reset all";
        resetAll.disabled = !off;
        const preset = presetNow();
        choices.preset.fill([...Object.keys(about().presets), OWN].map((name) => [name, name]), preset);
        source.textContent = [about().about, about().presets[preset]?.[0]].filter(Boolean).join(" Preset: ");
        clearTimeout(speaking);
        speaking = setTimeout(speak, QUIET);
    }

    function speak() {
        spoken.textContent = words.textContent;
        canvas.setAttribute("aria-label", words.textContent);
        planeCanvas.setAttribute("aria-label", plane ? `${plane.label}, horizontally ${plane.xLabel}` : "");
    }

    function request(again = false) {
        rerun ||= again;
        if (!wanted) wanted = requestAnimationFrame(frame);
    }

    function frame(now) {
        wanted = 0;
        if (!root.isConnected) return;
        if (rerun) simulate();
        rerun = false;
        if (playing) advance(now);
        if (!shown.failure && places.traces) {
            const height = draws.drawTraces(shown, panels, at, places.traces);
            if (plane) drawsPlane.drawPlane(plane, at, places.plane, places.together ? height : 240);
            showMoment();
        }
        root.dataset.drawn = Number(root.dataset.drawn ?? 0) + 1;
    }

    // --- the cursor: moves by itself only when asked to

    function showMoment() {
        moment.textContent = `${(at * shown.dt).toFixed(2)} ms`;
        clock.value = at;
        clock.setAttribute("aria-valuetext", momentInWords(shown, at));
    }

    function move(sample) {
        at = Math.min(simulator.n, Math.max(0, sample));
        request();
    }

    function advance(now) {
        const parts = Number(speed.select.value);
        at = Math.min(simulator.n, at + Math.max(1, Math.round(((now - then) / 1000 / parts) * simulator.n)));
        then = now;
        if (at >= simulator.n) pause();
        else request();
    }

    function run() {
        if (at >= simulator.n) at = 0;
        [playing, then] = [true, performance.now()];
        showPlay();
        request();
    }

    function pause() {
        playing = false;
        showPlay();
        request();
    }

    function showPlay() {
        play.textContent = playing ? "⏸ pause" : "▶ run";
        play.setAttribute("aria-label", playing ? "pause the time cursor" : "run the time cursor");
    }

    const follow = (sampleOf) => (event) => {
        const sample = playing || shown.failure ? null : sampleOf(event.offsetX, event.offsetY);
        if (sample !== null) move(sample);
    };
    canvas.addEventListener("pointermove", follow((x) => draws.timeAt(x, simulator.n)));
    planeCanvas.addEventListener("pointermove", follow(drawsPlane.nearestInPlane));

    // --- what lies outside: Python, the keyboard, the theme, the size of the page

    function send() {
        model.set("setting", structuredClone(setting));
        model.save_changes();
    }

    function received() {
        const news = model.get("setting");
        if (JSON.stringify(news) === JSON.stringify(setting)) return;
        setting = structuredClone(news);
        rebuild();
    }

    function themed() {
        if (!root.isConnected) return; // a notebook adds the bench to the page later; `measured` then comes here
        takeTheme(root);
        draws.readTheme();
        drawsPlane.readTheme();
        request();
    }

    // Asked for here, not in every frame: the browser would have to lay the page out each time.
    function measured() {
        places = { traces: picture.clientWidth, plane: beside.clientWidth, together: beside.offsetTop === picture.offsetTop };
        themed();
    }

    const resized = new ResizeObserver(measured);
    const rethemed = new MutationObserver(themed);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    for (const place of [picture, beside]) resized.observe(place);
    for (const node of [document.documentElement, document.body]) rethemed.observe(node, { attributes: true });
    dark.addEventListener("change", themed);
    const letKeysGo = keepKeys(root);
    model.on("change:setting", received);

    showPlay();
    measured();
    rebuild();
    return () => {
        cancelAnimationFrame(wanted);
        clearTimeout(speaking);
        resized.disconnect();
        rethemed.disconnect();
        dark.removeEventListener("change", themed);
        letKeysGo();
        model.off("change:setting", received);
        root.remove();
    };
}

export default { render: ({ model, el }) => makeBench(model, el) };
