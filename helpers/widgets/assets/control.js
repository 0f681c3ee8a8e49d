// A control of an explorer: a dial or a list, made by controls.js. Python hears of every move at once, and of the last
// one only while it is still busy with one before.

function makeList({ name, meaning, options, default: usual }, { get, set }) {
    const select = element("select", { "aria-label": `${name}, ${meaning}`, title: meaning, onchange: () => set(select.selectedIndex) });
    select.append(...options.map((option) => element("option", {}, option)));
    const back = makeBack(name, options[usual], options[usual], () => { set(usual); select.focus(); });
    const row = element("div", { className: "dial list" }, element("span", { className: "name", title: meaning }, name), select, back);
    const show = () => {
        select.selectedIndex = get();
        row.classList.toggle("off", get() !== usual);
    };
    return { row, show };
}

function render({ model, el }) {
    const about = model.get("about");
    const [make, trait] = about.options ? [makeList, "index"] : [makeDial, "value"];
    const { row, show } = make(about, {
        get: () => model.get(trait),
        set: (value) => { model.set(trait, value); model.save_changes(); },
        send: () => {},
    });
    const root = element("div", { className: "pyhh-controls" }, row);
    el.append(root);
    const themed = () => root.isConnected && takeTheme(root);
    const placed = new ResizeObserver(themed); // called when the control has come onto the page, too
    const rethemed = new MutationObserver(themed);
    const letKeysGo = keepKeys(root);
    placed.observe(root);
    for (const node of [document.documentElement, document.body]) rethemed.observe(node, { attributes: true });
    model.on(`change:${trait}`, show);
    show();
    return () => {
        model.off(`change:${trait}`, show);
        letKeysGo();
        rethemed.disconnect();
        placed.disconnect();
    };
}

export default { render };
