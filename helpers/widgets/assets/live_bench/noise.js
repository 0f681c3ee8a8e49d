// The noise: the same normal numbers as in the simulator.

// N(0, 1) numbers that depend only on the key and the step, two from each hashed counter, by the same polynomials as
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
