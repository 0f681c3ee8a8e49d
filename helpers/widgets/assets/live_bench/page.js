// The page: puts the parts together with the controls, and keeps Python informed.

const OWN = "your own values";
const QUIET = 500; // ms without a change until the words are spoken

function makeBench(model, el) {
    const data = model.get("data");
    const simulator = makeSimulator(data);
    let setting = structuredClone(model.get("setting"));
    let [shown, panels, plane, floor] = [null, [], null, {}];
    let at = Math.round(simulator.n / 10);
    let [wanted, playing, then, rerun] = [0, false, 0, true];
    let [speaking, places] = [0, {}];
    let sliders = [];
    const about = () => data.neurons[setting.neuron];
    const stimulusSliders = () => about().stimulus[String(setting.duration)];

    // --- the elements of the page

    const root = element("div", { className: "live-bench pyhh-controls", role: "group", "aria-label": "Live bench: a neuron that you can change while it runs" });
    const canvas = element("canvas", { role: "img", "aria-label": "traces of the neuron" });
    const planeCanvas = element("canvas", { role: "img", "aria-label": "phase plane" });
    const tracesArea = element("div", { className: "traces" }, canvas);
    const planeArea = element("div", { className: "plane" }, planeCanvas);
    const words = element("p", { className: "words" });
    const spoken = element("p", { className: "spoken", "aria-live": "polite" });
    const source = element("p", { className: "about" });
    const draws = makePicture(canvas, root);
    const drawsPlane = makePicture(planeCanvas, root);

    const change = (values) => { Object.assign(setting, values); rebuild(); send(); };
    const selects = {
        neuron: makeSelect("neuron", (name) => { setting = structuredClone(data.neurons[name].initial); rebuild(); send(); }),
        preset: makeSelect("preset", (name) => {
            if (about().presets[name]) change({ parameters: { ...about().presets[name][1] } });
        }),
        clamp: makeSelect("clamp", (clamp) => change({ clamp })),
        protocol: makeSelect("protocol", (protocol) => change({ protocol })),
        duration: makeSelect("time shown", (text) => {
            const fits = ({ name, high, default: usual }) => [name, name === "length" ? usual : Math.min(high, setting.stimulus[name])];
            change({ duration: Number(text), stimulus: Object.fromEntries(about().stimulus[text].map(fits)) });
        }),
        plane: makeSelect("phase plane", (plane) => change({ plane })),
    };
    const resetAll = element("button", {
        type: "button", className: "reset-all",
        onclick: () => { const { clamp, protocol, plane } = setting; setting = { ...structuredClone(about().initial), clamp, protocol, plane }; rebuild(); send(); },
    });
    const bar = element("div", { className: "selects" }, ...Object.values(selects).map((select) => select.label), resetAll);

    const step = Math.round(simulator.n / 1000);
    const play = element("button", { type: "button", className: "play", onclick: () => setPlaying(!playing) });
    const stepBack = element("button", { type: "button", title: "one step back", onclick: () => move(at - step) }, "◀ step");
    const stepOn = element("button", { type: "button", title: "one step on", onclick: () => move(at + step) }, "step ▶");
    const clock = element("input", { type: "range", min: 0, max: simulator.n, step, className: "clock", "aria-label": "time cursor", oninput: () => move(clock.valueAsNumber) });
    const speed = makeSelect("speed", () => {}, "speed");
    const moment = element("output", { className: "moment" });
    const transport = element("div", { className: "transport", role: "group", "aria-label": "time cursor" }, play, stepBack, stepOn, clock, moment, speed.label);
    const stimulusGroup = element("fieldset", { className: "sliders" });
    const neuronGroup = element("fieldset", { className: "sliders" });
    root.append(element("div", { className: "body" }, bar, source, tracesArea, planeArea, transport, words, spoken, stimulusGroup, neuronGroup));
    el.append(root);

    // --- from what is set to what is shown

    // The parts that depend on the neuron, the clamp and the protocol. Sliders keep their places while values change.
    function rebuild() {
        const clamped = setting.clamp === "voltage";
        selects.neuron.fill(Object.keys(data.neurons).map((name) => [name, name]), setting.neuron);
        selects.clamp.fill([["current", "current clamp"], ["voltage", "voltage clamp"]], setting.clamp);
        selects.protocol.fill(Object.keys(data.protocols).map((name) => [name, name]), setting.protocol);
        const durations = Object.keys(about().durations).sort((a, b) => a - b);
        selects.duration.fill(durations.map((T) => [T, withUnit(T, about().time_unit)]), String(setting.duration));
        selects.plane.fill(about().states.slice(1).map((name) => [name, `${name} against ${about().states[0]}`]), setting.plane);
        selects.clamp.label.hidden = !about().clamped;
        selects.protocol.label.hidden = selects.duration.label.hidden = clamped;
        selects.plane.label.hidden = clamped || about().states.length < 2;
        selects.preset.label.hidden = !Object.keys(about().presets).length;
        const T = clamped ? data.command.times.reduce((a, b) => a + b) : setting.duration;
        speed.fill([2, 10, 50].map((parts) => [String(parts), `${withUnit(Number((T / parts).toPrecision(3)), about().time_unit)} per second`]), speed.select.value || "10");

        const sliderOf = (group) => (declared) =>
            makeSlider(declared, {
                get: () => setting[group][declared.name],
                set: (value) => { setting[group][declared.name] = value; request(true); },
                send,
            });
        const used = data.protocols[setting.protocol].sliders;
        const key = JSON.stringify([setting.neuron, setting.clamp, setting.protocol, setting.duration]);
        if (root.dataset.key !== key) {
            const top = clamped ? data.command.sliders.map(sliderOf("command")) : stimulusSliders().filter((slider) => used.includes(slider.name)).map(sliderOf("stimulus"));
            const own = about().parameters.map(sliderOf("parameters"));
            sliders = [...top, ...own];
            stimulusGroup.replaceChildren(element("legend", {}, clamped ? "voltage clamp" : "injected current"), ...top.map((slider) => slider.row));
            neuronGroup.replaceChildren(element("legend", {}, "neuron"), ...own.map((slider) => slider.row));
            root.dataset.key = key;
            floor = floorOf();
        }
        request(true);
    }

    function floorOf() {
        const stimulus = Object.fromEntries(stimulusSliders().map((slider) => [slider.name, slider.default]));
        const usual = simulator.currentClamp({ ...about().initial, duration: setting.duration, stimulus });
        return Object.fromEntries(about().states.map((name, i) => [name, extent(usual.states[i])]));
    }

    function presetNow() {
        const alike = ([, values]) => Object.entries(values).every(([name, value]) => setting.parameters[name] === value);
        return Object.entries(about().presets).find(([, preset]) => alike(preset))?.[0] ?? OWN;
    }

    function simulate() {
        shown = setting.clamp === "voltage" ? simulator.voltageClamp(setting) : simulator.currentClamp(setting);
        tracesArea.hidden = planeArea.hidden = Boolean(shown.failure);
        words.textContent = inWords(shown, setting);
        if (!shown.failure) {
            panels = panelsOf(shown, setting, floor);
            plane = planeOf(shown, panels, setting, simulator, data.command);
            planeArea.hidden = !plane;
        }
        for (const slider of sliders) slider.show();
        const changed = sliders.filter((slider) => slider.isChanged()).length;
        resetAll.textContent = changed ? `↺ reset all (${changed})` : "↺ reset all";
        resetAll.disabled = !changed;
        const preset = presetNow();
        selects.preset.fill([...Object.keys(about().presets), OWN].map((name) => [name, name]), preset);
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
        moment.textContent = withUnit((at * shown.dt).toFixed(2), about().time_unit);
        clock.value = at;
        clock.setAttribute("aria-valuetext", momentInWords(shown, at));
    }

    function move(sample) {
        at = Math.min(simulator.n, Math.max(0, sample));
        setPlaying(false);
    }

    function advance(now) {
        const parts = Number(speed.select.value);
        at = Math.min(simulator.n, at + Math.max(1, Math.round(((now - then) / 1000 / parts) * simulator.n)));
        then = now;
        if (at >= simulator.n) setPlaying(false);
        else request();
    }

    function setPlaying(on) {
        if (on && at >= simulator.n) at = 0;
        [playing, then] = [on, performance.now()];
        play.textContent = on ? "⏸ pause" : "▶ run";
        play.setAttribute("aria-label", on ? "pause the time cursor" : "run the time cursor");
        request();
    }

    const follow = (sampleOf) => (event) => {
        const sample = playing || shown.failure ? null : sampleOf(event.offsetX, event.offsetY);
        if (sample !== null) move(sample);
    };
    canvas.addEventListener("pointermove", follow((x) => draws.timeAt(x, simulator.n)));
    planeCanvas.addEventListener("pointermove", follow(drawsPlane.nearestInPlane));

    // --- what is outside: Python, the keyboard, the theme, the size of the page

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
        places = { traces: tracesArea.clientWidth, plane: planeArea.clientWidth, together: planeArea.offsetTop === tracesArea.offsetTop };
        themed();
    }

    const resized = new ResizeObserver(measured);
    const rethemed = new MutationObserver(themed);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    for (const place of [tracesArea, planeArea]) resized.observe(place);
    for (const node of [document.documentElement, document.body]) rethemed.observe(node, { attributes: true });
    dark.addEventListener("change", themed);
    const letKeysGo = keepKeys(root);
    model.on("change:setting", received);

    setPlaying(false);
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
