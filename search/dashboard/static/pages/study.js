// A study: how it stands, what is best, the front; then everything else, drawn when it comes near the screen.
import { byId, el, fill } from "../core/dom.js";
import { figure, whenNear } from "../core/figure.js";
import { start } from "../core/frame.js";
import { Selection } from "../core/selection.js";
import { StudyData } from "../core/study_data.js";
import { drawActions } from "../study/actions.js";
import { drawCards } from "../study/cards.js";
import { drawChips } from "../study/chips.js";
import { drawNotes } from "../study/notes.js";
import { drawStatus } from "../study/status.js";
import { drawTable } from "../study/table.js";

const SECTIONS = [["front", "Front"], ["progress", "Progress"], ["parallel", "Parallel"], ["decisions", "Decisions"], ["layers", "Layers"], ["workers", "Workers"], ["more", "More"], ["table", "Trials"], ["about", "About"]];
const OF_COMPLETED = ["progress", "parallel", "decisions", "layers"]; // what these show is made of completed trials

start(async () => {
  const data = new StudyData(document.documentElement.dataset.study);
  data.need((document.documentElement.dataset.columns ?? "").split(" ").filter(Boolean).map(decodeURIComponent)).catch(() => null);
  const [plots] = await Promise.all([plotModules(), data.open()]);
  const selection = new Selection(data);
  const context = { data, selection };
  const parts = frame(plots);
  const status = () => {
    drawStatus(parts.status, data);
    drawActions(byId("head-actions"), data);
  };
  status();
  drawChips(parts.chips, context);
  if (selection.active) selection.tell();
  const [first, ...others] = plots.map((plot) => place(plot, parts, context)).filter(Boolean);
  const table = () => drawTable(parts.sections.table, context);
  if (location.hash === "#table") table();
  else whenNear(parts.sections.table, table);
  drawNotes(parts.sections.about, data);
  if (location.hash) byId(location.hash.slice(1))?.scrollIntoView();
  await (location.hash ? null : Promise.race([first?.(), later(2000)])); // the front is seen first; nothing delays it
  others.forEach((draw) => draw());
  if (location.hash) first?.();
  drawCards(parts.cards, data);
  data.onchange(async () => {
    await selection.compute();
    status();
    drawCards(parts.cards, data);
  });
  data.followChanges();
});

const later = (ms) => new Promise((done) => setTimeout(done, ms));

// Every file in static/plots is a plot; one that does not load is left out, the page stands.
async function plotModules() {
  const names = (document.documentElement.dataset.plots ?? "").split(" ").filter(Boolean);
  const loaded = await Promise.allSettled(names.map(async (name) => ({ name, ...(await import(`../plots/${name}.js`)) })));
  loaded.filter((one) => one.status === "rejected").forEach((one) => console.error("a plot does not load:", one.reason));
  return loaded.filter((one) => one.status === "fulfilled").map((one) => one.value).sort((a, b) => a.order - b.order);
}

function frame(modules) {
  const used = SECTIONS.filter(([key]) => ["table", "about"].includes(key) || modules.some((plot) => sectionOf(plot) === key));
  const sections = Object.fromEntries(used.map(([key]) => [key, el("section", { id: key })]));
  const status = el("div", { class: "statusline" });
  const cards = el("div", { class: "cards" }, [1, 2, 3].map(() => el("div", { class: "skeleton card" })));
  const chips = el("div", { class: "chips", role: "status" });
  const links = el("nav", { class: "sections", "aria-label": "Parts of this study" }, used.map(([key, words]) => el("a", { href: `#${key}` }, words)));
  fill(byId("page"), status, cards, sections.front, el("div", { class: "stuck" }, links, chips), used.slice(1).map(([key]) => sections[key]));
  spy(links, sections);
  return { status, cards, chips, sections };
}

const sectionOf = (plot) => (SECTIONS.some(([key]) => key === plot.section) ? plot.section : "more");

// Puts a plot's figure into its part; returns what draws it once it comes near the screen, and resolves then.
function place(plot, { sections }, context) {
  if (plot.applies && !plot.applies(context.data)) return null;
  const box = figure(plot.title, { id: plot.name, height: plot.height });
  const section = sections[sectionOf(plot)];
  if (plot.wide || plot.section === "front" || plot.section === "parallel") section.append(box.box);
  else {
    if (!section.lastElementChild?.classList.contains("columns")) section.append(el("div", { class: "columns" }));
    section.lastElementChild.append(box.box);
  }
  const draw = async () => {
    try {
      if (OF_COMPLETED.includes(plot.section)) await completed(box, context.data);
      await plot.draw(box, context);
    } catch (error) {
      console.warn(`${plot.name}:`, error);
      box.failed(error);
    }
  };
  return () => new Promise((done) => whenNear(box.box, () => draw().then(done)));
}

// Resolves once a trial has completed; until then the figure says that none has.
async function completed(box, data) {
  if (data.summary.counts.completed) return;
  const { style } = box.plot;
  const height = style.getPropertyValue("--height");
  style.setProperty("--height", "120px");
  box.empty("No trial has completed yet.");
  await new Promise((done) => {
    const end = data.onchange(() => data.summary.counts.completed && done(end()));
  });
  style.setProperty("--height", height);
}

// Marks the link of the part that is being read.
function spy(links, sections) {
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) {
      for (const link of links.children) {
        if (link.hash === `#${entry.target.id}`) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
      }
    }
  }, { rootMargin: "-120px 0px -60% 0px" });
  Object.values(sections).forEach((section) => watcher.observe(section));
}
