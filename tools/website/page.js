// Light or dark as the visitor likes it, the section that is being read, and live benches without a kernel.
const root = document.documentElement;
const kept = { get: () => { try { return localStorage.theme; } catch { return ""; } },
               set: (theme) => { try { localStorage.theme = theme; } catch { /* not allowed here: for this page only */ } } };
root.style.colorScheme = kept.get() || "";

document.addEventListener("DOMContentLoaded", () => {
  document.querySelector(".theme").addEventListener("click", () => {
    const dark = root.style.colorScheme ? root.style.colorScheme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.style.colorScheme = dark ? "light" : "dark";
    kept.set(root.style.colorScheme);
  });
  const contents = document.querySelector("#contents");
  contents.addEventListener("click", (event) => event.target.closest("a") && contents.matches(":popover-open") && contents.hidePopover());

  const links = new Map([...contents.querySelectorAll("a[href^='#']")].map((link) => [link.hash.slice(1), link]));
  const headings = [...links.keys()].map((name) => document.getElementById(name));
  const mark = () => {
    const read = headings.filter((heading) => heading.getBoundingClientRect().top < 160).at(-1);
    links.forEach((link, name) => link.classList.toggle("read", name === read?.id));
  };
  addEventListener("scroll", mark, { passive: true });
  mark();
});

// What the live bench is given in place of a model that Python keeps.
function standIn(data) {
  const values = structuredClone(data), listeners = new Map();
  return {
    get: (name) => values[name],
    set: (name, value) => { values[name] = value; (listeners.get(`change:${name}`) ?? []).forEach((react) => react()); },
    on: (event, react) => listeners.set(event, [...(listeners.get(event) ?? []), react]),
    off: (event, react) => listeners.set(event, (listeners.get(event) ?? []).filter((other) => other !== react)),
    save_changes: () => {},
  };
}

function mountBenches(makeBench) {
  const data = JSON.parse(document.getElementById("bench-data").textContent);
  document.querySelectorAll("[data-bench]").forEach((place) => makeBench(standIn(data), place));
}
