// When a neuron spikes: the detector of helpers/simulation/spikes.py, where it is explained. V has a sample every dt.

const DEAD_TIME = 0.5; // ms
const SHORTEST_RISE = 0.1; // ms
const NOISE_LAG = 0.1; // ms
const NOISE_SAMPLES = 500;

// rule: [threshold, prominence, height, duration], in mV and ms. Returns the times of the spikes.
export function spikeTimes(V, dt, [threshold, prominence, height, duration]) {
    const times = [];
    let [trough, peak, rising, previous] = [0, 0, false, -Infinity];
    let noise = null;
    for (let i = 0; i < V.length; i++) {
        if (!rising) {
            if (V[i] < V[trough]) trough = i;
            else if (V[i] >= V[trough] + prominence) [peak, rising] = [i, true];
            continue;
        }
        if (V[i] > V[peak]) peak = i;
        if (V[i] > V[peak] - prominence) continue;
        const [low, high] = [V[trough], V[peak]];
        const rise = high - low;
        const begin = passage(V, dt, peak, high - prominence);
        const isLowSpike = rise >= height && high >= threshold - 2 * prominence;
        let spike = (i * dt - begin < duration) && (high >= threshold || isLowSpike) && (peak - previous) * dt >= DEAD_TIME;
        if (spike && rise < 3 * prominence) {
            noise ??= noiseOf(V, dt);
            spike = rise >= 10 * noise && 5 * (i - peak) * dt >= peak * dt - begin;
            spike &&= peak * dt - passage(V, dt, peak, low + 0.1 * rise) >= SHORTEST_RISE;
        }
        if (spike && accelerates(V, dt, peak, low, rise)) {
            const passes = low < threshold && threshold <= high;
            times.push(passage(V, dt, peak, passes ? threshold : (low + high) / 2));
            previous = peak;
        }
        [trough, rising] = [i, false];
    }
    const [end, low, high] = [V.length - 1, V[trough], V[peak]]; // a spike may be cut off by the end
    const begin = rising ? passage(V, dt, peak, high - prominence) : 0;
    const tall = rising && high >= threshold && high - low >= 3 * prominence && (peak - previous) * dt >= DEAD_TIME;
    if (tall && end * dt - begin < duration && accelerates(V, dt, peak, low, high - low)) {
        times.push(passage(V, dt, peak, low < threshold ? threshold : (low + high) / 2));
    }
    return times;
}

// Time of the last rise through a level before a peak, interpolated.
function passage(V, dt, peak, level) {
    let i = peak;
    while (i > 0 && V[i - 1] >= level) i--;
    return i === 0 ? 0 : (i - 1 + (level - V[i - 1]) / (V[i] - V[i - 1])) * dt;
}

// Whether not every later quarter of a rise takes 5 % longer than the first; a rise within two samples hides it.
function accelerates(V, dt, peak, low, rise) {
    if (Math.min(V[peak - 1], V[Math.max(peak - 2, 0)]) <= low + 0.1 * rise) return true;
    const [one, two, three, four] = [0.1, 0.35, 0.6, 0.85].map((share) => passage(V, dt, peak, low + share * rise));
    return one <= two - Math.min(three - two, four - three) / 1.05;
}

// SD of the part of V that is new NOISE_LAG later.
function noiseOf(V, dt) {
    const lag = Math.max(1, Math.floor(NOISE_LAG / dt + 0.5));
    const last = V.length - 2 * lag;
    if (last < 1) return 0;
    const stride = Math.ceil(last / NOISE_SAMPLES);
    const bends = [];
    for (let i = 0; i < last; i += stride) bends.push(Math.abs(V[i] - 2 * V[i + lag] + V[i + 2 * lag]));
    bends.sort((a, b) => a - b);
    return bends[Math.floor(bends.length / 2)] / (0.6745 * Math.sqrt(6));
}
