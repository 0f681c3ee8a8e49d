// A slider or dropdown of an explorer. Python hears of every move at once; while it is busy, only of the latest one.

function render({ model, el }) {
    const about = model.get("about");
    const [make, trait] = about.options ? [makeDropdown, "index"] : [makeSlider, "value"];
    const { row, show } = make(about, {
        get: () => model.get(trait),
        set: (value) => { model.set(trait, value); model.save_changes(); },
        send: () => {},
    });
    const root = element("div", { className: "pyhh-controls" }, row);
    el.append(root);
    const themed = () => root.isConnected && takeTheme(root);
    const placed = new ResizeObserver(themed); // also called once the control is on the page
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
