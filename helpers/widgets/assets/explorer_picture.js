// The picture of an explorer, and a mark over it while Python computes the next one.
function render({ model, el }) {
  const frame = document.createElement("div");
  const image = document.createElement("img");
  const mark = document.createElement("span");
  frame.className = "pyhh-picture";
  mark.className = "pyhh-busy";
  mark.textContent = "computing …";
  image.decoding = "sync"; // the old picture stays until the new one can be shown whole
  frame.append(image, mark);
  el.append(frame);

  const addresses = []; // of pictures; all but the last are given back once that one is shown
  image.addEventListener("load", () => addresses.splice(0, addresses.length - 1).forEach(URL.revokeObjectURL));

  const show = () => {
    const png = model.get("value");
    frame.classList.toggle("pyhh-empty", png.byteLength === 0); // its place stays, so that nothing below it jumps
    if (png.byteLength === 0) return;
    image.width = model.get("width");
    image.height = model.get("height");
    addresses.push(URL.createObjectURL(new Blob([png], { type: "image/png" })));
    image.src = addresses.at(-1);
  };
  const describe = () => (image.alt = model.get("words"));
  const busy = () => frame.setAttribute("aria-busy", model.get("busy"));
  const reactions = { "change:value": show, "change:words": describe, "change:busy": busy };
  Object.entries(reactions).forEach(([event, react]) => (model.on(event, react), react()));
  return () => {
    Object.entries(reactions).forEach(([event, react]) => model.off(event, react));
    addresses.forEach(URL.revokeObjectURL);
  };
}

export default { render };
