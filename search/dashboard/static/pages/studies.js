// The list of studies: live, searched, sorted.
import { get, studyPage } from "../core/api.js";
import { deviceDot } from "../core/colours.js";
import { command, empty } from "../core/command.js";
import { button, byId, debounce, el, fill } from "../core/dom.js";
import { start } from "../core/frame.js";
import { toggle } from "../core/figure.js";
import { every, show } from "../core/live.js";
import { param, setParams } from "../core/location.js";
import { countsBar, done, etaWords, rateWords, stateMark, trialsWords, value, when } from "../study/words.js";
import { metricLabel } from "../core/format.js";

const ORDER = { running: 0, pausing: 1, stopping: 1, paused: 2, interrupted: 3, stopped: 4, done: 5 };
const COLUMNS = [
  { key: "state", words: "State", of: (study) => ORDER[study.state] ?? 6 },
  { key: "name", words: "Study", of: (study) => study.name },
  { key: "trials", words: "Trials", of: (study) => done(study.counts) },
  { key: "best", words: "Best", of: (study) => Object.values(study.best ?? {})[0] ?? -Infinity },
  { key: "rate", words: "Rate", number: true, wide: true, of: (study) => study.trials_per_minute ?? -1 },
  { key: "eta", words: "Time left", number: true, wide: true, of: (study) => study.eta_s ?? Infinity },
  { key: "devices", words: "Devices", wide: true, of: (study) => study.devices.join() },
  { key: "updated", words: "Last change", number: true, wide: true, of: (study) => -(new Date(typeof study.updated_at === "number" ? 1000 * study.updated_at : study.updated_at ?? 0)) },
];

let studies = [];
start(async () => {
  ({ studies } = await get("/studies"));
  frame();
  draw();
  show("live");
  every(2000, async () => {
    const found = (await get("/studies")).studies;
    const changed = JSON.stringify(found) !== JSON.stringify(studies);
    studies = found;
    if (changed) draw();
  });
});

function frame() {
  const search = el("input", { type: "search", placeholder: "Search by name, tag, metric or device", "aria-label": "Search studies", "data-search": "", value: param("q"),
    oninput: debounce(() => { setParams({ q: search.value }); draw(); }, 80) });
  const archived = toggle("archived too", param("archived") === "yes", (on) => { setParams({ archived: on ? "yes" : "" }); draw(); });
  fill(byId("page"), el("div", { class: "filter", role: "search" }, search, archived, el("span", { id: "found", class: "soft small", role: "status" })), el("div", { class: "panel scroll-x", id: "list" }));
}

function shown() {
  const words = param("q").toLowerCase().split(/\s+/).filter(Boolean);
  const text = (study) => [study.name, study.description, study.state, ...(study.tags ?? []), ...study.devices, ...study.objectives.map((one) => one.metric)].join(" ").toLowerCase();
  return studies.filter((study) => (param("archived") === "yes" || !study.archived) && words.every((word) => text(study).includes(word)));
}

function draw() {
  const [key, order] = (param("sort") || "updated:asc").split(":");
  const column = COLUMNS.find((one) => one.key === key) ?? COLUMNS.at(-1);
  const rows = shown().sort((a, b) => {
    const [x, y] = [column.of(a), column.of(b)];
    return (x < y ? -1 : x > y ? 1 : 0) * (order === "desc" ? -1 : 1) || a.name.localeCompare(b.name);
  });
  byId("found").textContent = studies.length === rows.length ? `${studies.length} ${studies.length === 1 ? "study" : "studies"}` : `${rows.length} of ${studies.length} studies`;
  if (!studies.length) return fill(byId("list"), empty("No study is stored here yet. This command makes one:", command("launch nasbench201")));
  if (!rows.length) return fill(byId("list"), empty("No study fits the search."));
  const focused = document.activeElement?.closest?.("th")?.dataset.key;
  const head = COLUMNS.map((one) => el("th", { "data-key": one.key, scope: "col", class: [one.number ? "num" : "", one.wide ? "only-wide-cell" : ""].join(" ").trim() || null, "aria-sort": one.key === column.key ? (order === "desc" ? "descending" : "ascending") : null },
    button(`${one.words}${one.key === column.key ? (order === "desc" ? " ↓" : " ↑") : ""}`, () => {
      setParams({ sort: `${one.key}:${one.key === key && order !== "desc" ? "desc" : "asc"}` });
      draw();
    })));
  fill(byId("list"), el("table", { class: "table studies" }, el("thead", {}, el("tr", {}, head)), el("tbody", {}, rows.map(row))));
  if (focused) byId("list").querySelector(`th[data-key="${focused}"] button`)?.focus();
  return undefined;
}

function row(study) {
  const tags = (study.tags ?? []).map((tag) => el("span", { class: "tag" }, tag));
  return el("tr", { "data-study": study.name },
    el("td", {}, stateMark(study.state, study.reason)),
    el("td", { class: "name" }, el("a", { href: studyPage(study.name) }, study.name), study.archived && el("span", { class: "soft small" }, " archived"),
      study.description && el("div", { class: "soft small clip" }, study.description), tags.length > 0 && el("div", { class: "row tags" }, tags)),
    el("td", {}, el("div", { class: "small" }, trialsWords(study)), countsBar(study)),
    el("td", {}, best(study)),
    el("td", { class: "num only-wide-cell" }, study.state === "running" ? rateWords(study.trials_per_minute) : "–"),
    el("td", { class: "num only-wide-cell" }, etaWords(study)),
    el("td", { class: "only-wide-cell" }, study.devices.map(device)),
    el("td", { class: "num only-wide-cell soft" }, when(study.updated_at)));
}

function best(study) {
  return el("dl", { class: "pair small" }, study.objectives.map((one) => [el("dt", {}, metricLabel({ name: one.metric, ...one })), el("dd", { class: "num" }, value(study.best?.[one.metric]))]));
}

const device = (name) => el("div", { class: "row" }, el("span", { class: "small" }, deviceDot(name), " ", name));

