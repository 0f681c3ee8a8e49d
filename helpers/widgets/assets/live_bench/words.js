// The words: what the picture shows, for everybody and for screen readers.

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
            return `${name} ${Math.round(currents[i][peak])} after ${withUnit(((peak - shown.on) * shown.dt).toFixed(2), about.time_unit)}`;
        });
        return `From ${short(holding)} to ${short(test)} mV, peak currents: ${parts.join(", ")}; in ${about.current_unit}, outward positive.`;
    }
    const count = spikes.length;
    const interval = count > 1 ? (spikes[count - 1] - spikes[0]) / (count - 1) : 0;
    const rate = !interval ? "" : about.time_unit ? `, ${(1000 / interval).toFixed(1)} Hz` : `, one every ${interval.toFixed(1)}`;
    const [low, high] = extent(states[0]);
    const range = `${states[0][0].toFixed(1)} ${unit}`.trim();
    const peaks = about.currents.map((name, i) => `${name} ${Math.round(currents[i][peakOf(currents[i])])}`);
    const largest = peaks.length ? ` Largest currents: ${peaks.join(", ")} ${about.current_unit} (outward positive).` : "";
    const note = noteOf(shown, setting);
    return (
        `${count} spike${count === 1 ? "" : "s"} (${first} peaking above ${withUnit(short(about.threshold), unit)})${rate}. ` +
        `${first} is ${range} at the start, then between ${low.toFixed(1)} and ${withUnit(high.toFixed(1), unit)}.${note ? ` ${note.long}` : ""}${largest}`
    );
}

// Why there is no spike where one might expect it: a few words for the picture, and a sentence.
function noteOf({ about, states, currents, spikes, driven }, setting) {
    if (setting.clamp === "voltage" || !currents.length) return null;
    const first = about.states[0];
    const unit = about.units[first];
    if (states[0][0] >= about.threshold) {
        const largest = about.currents.map((name, i) => [name, currents[i][0]]).sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]));
        const [one, two] = largest.slice(0, 2).map(([name, value]) => `${name} ${reading(value, false)}`);
        const cancel = two ? `: ${one} and ${two} ${about.current_unit} cancel there` : "";
        const rest = withUnit(reading(states[0][0], false), unit);
        return { brief: "rests above the threshold: it cannot fire", long: `${first} rests at ${rest}, above the threshold${cancel}. Nothing brings it back down, so no spike can begin.` };
    }
    if (driven && !spikes.length) {
        return { brief: "carried there by the injected current: not a spike", long: `The injected current, not the channels, carries ${first} through ${withUnit(short(about.threshold), unit)}: this is not a spike.` };
    }
    return null;
}

// About three digits and a true minus sign, so that the width of a number seldom changes.
function reading(value, isGate) {
    const size = Math.abs(value);
    const digits = isGate ? 3 : size >= 100 ? 0 : size >= 10 ? 1 : 2;
    return value.toFixed(digits).replace(/^-0(\.0*)?$/, "0$1").replace("-", "−");
}

function momentInWords(shown, at) {
    const { about, states, currents } = shown;
    const parts = about.states.map((name, i) => withUnit(`${name} ${reading(states[i][at], about.gates.includes(name))}`, about.units[name]));
    const flows = about.currents.map((name, i) => withUnit(`${name} ${reading(currents[i][at], false)}`, about.current_unit));
    return `${withUnit((at * shown.dt).toFixed(2), about.time_unit)}: ${[...parts, ...flows].join(", ")}`;
}
