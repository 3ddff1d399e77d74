// A figure: title, tools, plot, note, and the menu that saves it as SVG, PNG or CSV.
import { menu } from "./dialog.js";
import { button, el, fill } from "./dom.js";
import { saveCsv, savePng, saveSvg } from "./save.js";

// `save` gives any of: svg() -> text, size() -> [width, height], csv() -> [header, rows].
export function figure(title, { id, height = 300, save = {} } = {}) {
  const plot = el("div", { class: "plot" }, el("div", { class: "skeleton fill" }));
  plot.style.setProperty("--height", `${height}px`);
  const tools = el("div", { class: "tools" });
  const note = el("p", { class: "note" });
  const heading = el("h2", {}, title);
  const box = el("div", { class: "figure", role: "group", "aria-label": title, ...(id && { "data-figure": id }) }, el("header", {}, heading, tools), plot, note);
  const self = {
    box, plot, tools, note, heading, save,
    empty: (...words) => fill(plot, el("div", { class: "empty" }, words)),
    say: (...words) => fill(note, words),
    failed: (error) => fill(plot, el("div", { class: "empty" }, error.message)),
  };
  tools.append(saveMenu(self, (id ?? title).replaceAll(/\W+/g, "-").toLowerCase()));
  return self;
}

function saveMenu(self, name) {
  return menu("Save", (close) => {
    const { svg, size, csv } = self.save;
    const item = (words, work) => button(words, () => {
      close();
      work();
    });
    return [
      svg && item("SVG", () => saveSvg(svg(), `${name}.svg`)),
      svg && item("PNG", () => savePng(svg(), ...size(), `${name}.png`)),
      csv && item("CSV", () => saveCsv(...csv(), `${name}.csv`)),
      !svg && !csv && el("span", { class: "soft small" }, "nothing is drawn yet"),
    ];
  }, { class: "quiet", "aria-label": `Save ${self.heading.textContent}` });
}

// Tools stand before the menu.
export const addTools = (self, ...nodes) => self.tools.prepend(...nodes);

// Calls `draw` once, when the figure comes near the screen.
export function whenNear(node, draw) {
  const watcher = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    watcher.disconnect();
    draw();
  }, { rootMargin: "300px" });
  watcher.observe(node);
  return { now: () => { watcher.disconnect(); draw(); } };
}

// A row of buttons of which one is pressed.
export function choiceGroup(label, options, chosen, onchoice) {
  const box = el("span", { class: "group", role: "group", "aria-label": label });
  for (const { value, words } of options) {
    box.append(button(words, () => {
      for (const other of box.children) other.setAttribute("aria-pressed", String(other.dataset.value === String(value)));
      onchoice(value);
    }, { "aria-pressed": String(value === chosen), "data-value": value }));
  }
  return box;
}

export function toggle(words, on, onchange) {
  const box = el("input", { type: "checkbox", onchange: () => onchange(box.checked) });
  box.checked = on;
  return el("label", {}, box, words);
}
