// All trials: paged, sorted and filtered by the server; columns to choose; CSV and JSON of what is shown.
import { api, get, studyPath, trialPage, page } from "../core/api.js";
import { empty } from "../core/command.js";
import { menu } from "../core/dialog.js";
import { button, debounce, el, fill } from "../core/dom.js";
import { toggle } from "../core/figure.js";
import { exact, exactTime, metricLabel, sig, whole } from "../core/format.js";
import { param, setParams } from "../core/location.js";
import { stateMark, when } from "./words.js";

const LIMIT = 50;
const TIMES = new Set(["started_at", "finished_at", "created_at"]);
const EXTRA = ["started_at", "finished_at", "elapsed_s", "worker", "attempt", "reason"];

export async function drawTable(section, { data, selection }) {
  const names = allColumns(data);
  let columns = (param("columns") ? param("columns").split(",") : defaults(data)).filter((name) => names.includes(name));
  let pages = [""];
  let seen = null;
  let turn = 0;
  const chosen = new Set();
  const box = el("input", { class: "expression", placeholder: example(data), "aria-label": "Filter trials", "data-search": "", spellcheck: "false", value: param("where") });
  const follow = toggle("follow the brush", param("brushed") !== "no", (on) => { setParams({ brushed: on ? "" : "no" }); restart(); });
  const status = el("span", { class: "soft small", role: "status", "data-total": "" });
  const problem = el("p", { class: "notice bad", role: "alert", hidden: true });
  const body = el("div", { class: "scroll-x", tabindex: "0", role: "region", "aria-label": "Table of trials" });
  const compare = el("a", { class: "button", href: page("/compare"), hidden: true }, "Compare");
  const pager = el("div", { class: "row pager" });
  const chooser = menu("Columns", () => names.map((name) => toggle(words(data, name), columns.includes(name), (on) => {
    columns = names.filter((one) => (one === name ? on : columns.includes(one)));
    setParams({ columns: columns.join() === defaults(data).join() ? "" : columns.join() });
    load();
  })));
  const save = menu("Save", (close) => ["csv", "json", "arrow"].map((kind) => el("a", { href: `${api(`${studyPath(data.name)}/trials.${kind}`)}?${query()}`, download: `${data.name}-trials.${kind}`, onclick: () => setTimeout(close) }, `${kind.toUpperCase()} of all ${whole(seen?.total ?? 0)} trials shown`)));
  fill(section, el("div", { class: "panel", "data-figure": "table" }, el("div", { class: "row" }, el("h2", {}, "Trials"), status, el("span", { class: "row end tools" }, compare, chooser, save)), el("div", { class: "filter" }, box, follow), problem, body, pager));
  box.addEventListener("input", debounce(() => { setParams({ where: box.value.trim() }); restart(); }, 250));
  selection.onchange(debounce(() => param("brushed") !== "no" && restart(), 120));
  data.onchange(debounce(load, 400));
  await load();

  function where() {
    const parts = [box.value.trim(), selection.active && param("brushed") !== "no" ? selection.expression() : ""].filter(Boolean);
    return parts.length > 1 ? parts.map((part) => `(${part})`).join(" and ") : parts[0] ?? "";
  }

  function query() {
    const [sort, order] = (param("sort") || "number:asc").split(":");
    const given = new URLSearchParams({ sort, order, columns: columns.join() });
    if (where()) given.set("where", where());
    return given;
  }

  function restart() {
    pages = [""];
    return load();
  }

  async function load() {
    const mine = ++turn;
    const asked = query();
    asked.set("limit", LIMIT);
    if (pages.at(-1)) asked.set("after", pages.at(-1));
    try {
      const found = await get(`${studyPath(data.name)}/trials?${asked}`);
      if (mine !== turn) return;
      seen = found;
      problem.hidden = true;
      show();
    } catch (error) {
      if (mine !== turn) return;
      problem.hidden = false;
      problem.textContent = error.message;
    }
  }

  function show() {
    status.textContent = seen.total === data.rows ? whole(seen.total) : `${whole(seen.total)} of ${whole(data.rows)}`;
    status.dataset.total = seen.total;
    const [sort, order] = (param("sort") || "number:asc").split(":");
    const head = columns.map((name) => el("th", { scope: "col", class: numeric(name) ? "num" : null, "aria-sort": name === sort ? (order === "desc" ? "descending" : "ascending") : null },
      button(`${words(data, name)}${name === sort ? (order === "desc" ? " ↓" : " ↑") : ""}`, () => {
        setParams({ sort: `${name}:${name === sort && order !== "desc" ? "desc" : "asc"}` });
        restart();
      }, { "data-sort": name })));
    const rows = seen.rows.map((row) => el("tr", { "data-number": row.number, class: chosen.has(row.number) ? "chosen" : null }, el("td", {}, pick(row.number)), columns.map((name) => cell(row, name))));
    const from = (pages.length - 1) * LIMIT;
    fill(body, seen.rows.length ? el("table", { class: "table" }, el("thead", {}, el("tr", {}, el("th", { scope: "col" }, el("span", { class: "soft" }, "✓")), head)), el("tbody", {}, rows))
      : data.rows ? empty("No trial fits the filter.") : empty("No trial yet.", data.summary.state === "running" ? "" : data.summary.launch));
    fill(pager, button("Previous", () => { pages.pop(); load(); }, { disabled: pages.length < 2 }), button("Next", () => { pages.push(seen.next); load(); }, { disabled: !seen.next }),
      el("span", { class: "soft small" }, seen.rows.length ? `${whole(from + 1)} to ${whole(from + seen.rows.length)}` : ""));
  }

  function pick(number) {
    const mark = el("input", { type: "checkbox", "aria-label": `Compare trial ${number}` });
    mark.checked = chosen.has(number);
    mark.addEventListener("change", () => {
      if (mark.checked) chosen.add(number);
      else chosen.delete(number);
      mark.closest("tr").classList.toggle("chosen", mark.checked);
      compare.hidden = chosen.size < 2;
      compare.textContent = `Compare ${chosen.size}`;
      compare.href = page(`/compare?trials=${[...chosen].map((one) => `${encodeURIComponent(data.name)}:${one}`).join(",")}`);
    });
    return mark;
  }

  function numeric(name) {
    const figures = ({ kind, labels }) => kind !== "choice" || labels.every((label) => Number.isFinite(Number(label)));
    return ["number", "elapsed_s", "attempt"].includes(name) || data.metrics.some((metric) => metric.name === name) || data.decisions.some((one) => `d:${one.name}` === name && figures(one));
  }

  function cell(row, name) {
    const value = row[name] ?? row[name.replace(/^d:/, "")];
    if (name === "number") return el("td", { class: "num" }, el("a", { href: trialPage(data.name, row.number) }, String(row.number)));
    if (name === "state") return el("td", {}, stateMark(value));
    if (TIMES.has(name)) return el("td", { title: exactTime(value) }, when(value));
    if (name === "elapsed_s" && value !== null) return el("td", { class: "num", title: exact(value) }, value > 0 && value < 0.001 ? "<0.001" : sig(value, 3));
    if (typeof value === "number") return el("td", { class: "num", title: exact(value) }, sig(value));
    return el("td", { class: name === "reason" ? "long" : numeric(name) ? "num" : null }, value === null || value === undefined ? "–" : String(value));
  }
}

const allColumns = (data) => ["number", "state", ...data.metrics.map((one) => one.name), ...data.decisions.map((one) => `d:${one.name}`), ...EXTRA];

function defaults(data) {
  const objectives = data.summary.objectives.map((one) => one.metric).filter((name) => data.metrics.some((metric) => metric.name === name));
  return ["number", "state", ...objectives, ...data.decisions.slice(0, 8).map((one) => `d:${one.name}`), "elapsed_s"];
}

function words(data, name) {
  if (name.startsWith("d:")) return name.slice(2);
  if (data.metrics.some((metric) => metric.name === name)) return metricLabel(data.metric(name));
  return { number: "trial", elapsed_s: "took (s)", started_at: "started", finished_at: "finished" }[name] ?? name.replaceAll("_", " ");
}

function example(data) {
  const metric = data.summary.objectives[0].metric;
  const choice = data.decisions.find((one) => one.kind === "choice");
  return `${metric} > 0 and state == "COMPLETED"${choice ? ` and ${choice.name} == ${JSON.stringify(choice.labels[0])}` : ""}`;
}
