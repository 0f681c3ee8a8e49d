// The engine: integrates a neuron in the browser, under a current or a voltage clamp. It also runs without a page.

const OUT_OF_BOUNDS = 2 ** 20; // as in the simulator

// data: see bench_as_data in live/data.py. All arrays are reused by the next run.
export function makeSimulator({ neurons, protocols, command, onset, points: n, noise_key: key }) {
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
                whole: new Float64Array(n + 1), // V at every step
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

    // The states at rest, without current and noise; computed again only if a parameter has changed.
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
        const start = onset * setting.duration;
        const known = { ...setting.stimulus, start, stop: start + setting.stimulus.length, end: setting.duration };
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

    function result(cell, T, spikes, failure = "", driven = 0) {
        const { about, states, currents, I } = cell;
        return { about, T, dt: T / n, n, states, currents, I, spikes, failure, driven };
    }

    // Whether the channels drive more current into the cell than is injected.
    function isActive({ equations, x, k, flows }, injected) {
        equations.currents(x, k, flows);
        let inward = 0;
        for (const flow of flows) if (flow < 0) inward -= flow;
        return inward > injected;
    }

    // Steps are shorter than samples where the neuron needs it; spikes are detected at every step. Beside them the result
    // says how often V rises through the threshold although the channels never drive more current inward than is
    // injected: a strong current carries even a membrane without open channels there.
    function currentClamp(setting) {
        const cell = prepare(setting);
        const { about, equations, x, k, I, flows } = cell;
        const T = setting.duration;
        const every = about.durations[String(T)];
        const steps = n * every;
        const dt = T / steps;
        settle(cell, setting);
        const injected = inject(cell, setting, dt, steps);
        const intensity = (setting.parameters.noise ?? 0) / Math.sqrt(dt);
        if (intensity && normals.length < steps) normals = standardNormals(BigInt(key), steps);
        if (cell.whole.length !== steps + 1) cell.whole = new Float64Array(steps + 1);
        const V = cell.whole;
        let [above, active, driven] = [false, false, 0];
        let last = x[0];
        V[0] = last;
        I[0] = injected[0];
        record(cell, 0, last);
        for (let i = 0; i < steps; i++) {
            const shown = equations.step(x, k, intensity ? injected[i] + intensity * normals[i] : injected[i], dt);
            if (!(Math.abs(shown) < OUT_OF_BOUNDS)) {
                return result(cell, T, spikeTimes(V.subarray(0, i + 1), dt, about.spike_rule), `${about.states[0]} leaves all bounds after ${withUnit((i * dt).toFixed(2), about.time_unit)}`);
            }
            V[i + 1] = shown;
            if (last < about.threshold && shown >= about.threshold) [above, active] = [true, !flows.length];
            if (above && !active && shown >= about.threshold) active = isActive(cell, injected[i]);
            if (above && shown < about.threshold) {
                driven += !active;
                above = false;
            }
            last = shown;
            if ((i + 1) % every === 0) {
                record(cell, (i + 1) / every, shown);
                I[(i + 1) / every] = injected[i + 1];
            }
        }
        return result(cell, T, spikeTimes(V, dt, about.spike_rule), "", driven + (above && !active));
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

    // The peak of each current during a step to each level: the current-voltage curve.
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
