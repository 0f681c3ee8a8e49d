// Sliders and dropdowns made of native inputs, for the live bench and for the explorers. Each has a name, a unit, words
// for a screen reader and a button that resets it. Chapter one of every widget that uses it, see __init__.py.

function element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
        if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
        else if (name in made) made[name] = value;
        else made.setAttribute(name, value);
    }
    made.append(...children);
    return made;
}

function split(name) {
    const [head, ...rest] = name.split("_");
    return [head, rest.join("_")];
}

const withUnit = (text, unit) => (unit ? `${text} ${unit}` : `${text}`);

const short = (value) => String(Number(value.toPrecision(6)));

function niceStep(size) {
    const power = 10 ** Math.floor(Math.log10(size));
    return [1, 2, 5, 10].find((factor) => factor * power >= size * (1 - 1e-9)) * power;
}

const subscripted = (name) => {
    const [head, index] = split(name);
    return index ? [head, element("sub", {}, index)] : [head];
};

// The button that resets a control; the style sheet shows it while the row is "changed".
function makeReset(name, shown, spoken, onclick) {
    const labels = { title: `reset ${name} to its default`, "aria-label": `reset ${name} to its default, ${spoken}` };
    return element("button", { type: "button", className: "reset", ...labels, onclick }, `↺ ${shown}`);
}

// A number: a box that takes any value within the range, and a slider in round steps. `set` is called at every move,
// `send` when the slider is released.
function makeSlider(declared, { get, set, send }) {
    const { name, unit, meaning, low, high, default: usual } = declared;
    const step = niceStep((high - low) / 200);
    const base = Math.floor(low / step + 1e-9);
    const positions = Math.ceil(high / step - 1e-9) - base;
    const within = (value) => Math.min(high, Math.max(low, value));
    const valueAt = (position) => within(Number(((base + position) * step).toPrecision(12)));
    const positionOf = (value) => Math.round(value / step) - base;
    const spoken = (value) => withUnit(short(value), unit);
    const title = `${meaning}${unit ? `, ${unit}` : ""}; ${short(low)} to ${short(high)}`;

    const box = element("input", {
        type: "number", step, "aria-label": `${name}, ${meaning}, ${unit || "no unit"}`, title,
        oninput: () => { warn(); Number.isFinite(box.valueAsNumber) && set(within(box.valueAsNumber)); },
        onchange: () => { warn(box.valueAsNumber); show(true); send(); },
    });
    const range = element("input", {
        type: "range", min: 0, max: positions, step: 1, "aria-label": `${name}, ${meaning}`, title,
        oninput: () => { warn(); set(valueAt(range.valueAsNumber)); },
        onchange: send,
    });
    const reset = makeReset(name, short(usual), spoken(usual), () => { warn(); set(usual); send(); range.focus(); });
    const limits = element("small", { className: "limits" });
    limits.setAttribute("role", "status");
    // Say the range where a typed number is outside of it; without a number, say nothing.
    function warn(typed = NaN) {
        const outside = typed < low || typed > high;
        limits.textContent = outside ? `${short12(typed)} is outside ${short(low)} to ${spoken(high)}: set to ${short(within(typed))}` : "";
    }
    const label = element("span", { className: "name", title }, ...subscripted(name), ...(unit ? [element("small", {}, ` ${unit}`)] : []));
    const row = element("div", { className: "control" }, label, box, range, reset, limits);
    row.dataset.name = name;

    let last;
    function show(always = false) {
        const value = get();
        if (value === last && !always) return;
        last = value;
        if (always || document.activeElement !== box || box.getRootNode().activeElement !== box) box.value = short12(value);
        range.value = Math.min(positions, Math.max(0, positionOf(value)));
        range.setAttribute("aria-valuetext", spoken(value));
        row.classList.toggle("changed", value !== usual);
    }
    return { row, show, isChanged: () => get() !== usual };
}

const short12 = (value) => String(Number(value.toPrecision(12)));

// One of several words, in a row like that of a slider. `get` and `set` take its index.
function makeDropdown({ name, meaning, options, default: usual }, { get, set }) {
    const select = element("select", { "aria-label": `${name}, ${meaning}`, title: meaning, onchange: () => set(select.selectedIndex) });
    select.append(...options.map((option) => element("option", {}, option)));
    const reset = makeReset(name, options[usual], options[usual], () => { set(usual); select.focus(); });
    const row = element("div", { className: "control dropdown" }, element("span", { className: "name", title: meaning }, name), select, reset);
    const show = () => {
        select.selectedIndex = get();
        row.classList.toggle("changed", get() !== usual);
    };
    return { row, show };
}

// A dropdown under its label, without a default.
function makeSelect(text, onchange, className = "") {
    const select = element("select", { "aria-label": text, onchange: () => onchange(select.value) });
    const label = element("label", { className: `select ${className}` }, element("span", {}, text), select);
    function fill(options, value) {
        const key = JSON.stringify(options);
        if (select.dataset.options !== key) {
            select.dataset.options = key;
            select.replaceChildren(...options.map(([value, shown]) => element("option", { value }, shown)));
        }
        select.value = value;
    }
    return { label, select, fill };
}

// Keep keys from Jupyter, which uses arrows and letters as commands. Returns a function that ends this.
function keepKeys(root) {
    function keep(event) {
        const forNotebook = event.ctrlKey || event.metaKey || event.altKey || event.key === "Escape" || (event.shiftKey && event.key === "Enter");
        if (root.contains(event.composedPath()[0]) && !forNotebook) event.stopPropagation();
    }
    window.addEventListener("keydown", keep, true);
    return () => window.removeEventListener("keydown", keep, true);
}

// A page may be dark while the computer is light: look at the actual colour.
function takeTheme(root) {
    root.style.colorScheme = "";
    const [r, g, b] = getComputedStyle(root).color.match(/[\d.]+/g).map(Number);
    root.style.colorScheme = 0.299 * r + 0.587 * g + 0.114 * b > 128 ? "dark" : "light";
}
