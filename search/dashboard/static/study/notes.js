// What a study is: its note, its objectives and settings, its latency tables, how to launch it again.
import { getSession } from "../core/api.js";
import { button, el, fill } from "../core/dom.js";
import { copy } from "../core/frame.js";
import { exactTime } from "../core/format.js";
import { markdown } from "../core/markdown.js";
import { editNote } from "./actions.js";
import { when } from "./words.js";

export function drawNotes(section, data) {
  const columns = el("div", { class: "columns" });
  section.append(columns);
  let before = "";
  const draw = async () => {
    const { summary } = data;
    const key = JSON.stringify([summary.note, summary.settings, summary.constraints]);
    if (key === before) return;
    before = key;
    const session = await getSession().catch(() => ({ read_only: true }));
    fill(columns, note(data, session), settings(data));
  };
  draw();
  data.onchange(draw);
}

function note(data, session) {
  const { note: text } = data.summary;
  return el("div", { class: "panel", "data-note": "" }, el("div", { class: "row" }, el("h2", {}, "Note"), !session.read_only && button(text ? "Edit" : "Write", () => editNote(data), { class: "quiet end" })),
    text ? markdown(text) : el("p", { class: "soft" }, "No note yet."));
}

function settings(data) {
  const study = data.summary;
  const entries = Object.entries(study.settings ?? {}).filter(([name, value]) => name !== "description" && value !== null && value !== "");
  const plainly = (value) => typeof value !== "object" && String(value).length < 200;
  const rest = entries.filter(([, value]) => !plainly(value));
  const rows = [
    ["Objectives", study.objectives.map((one) => `${one.direction} ${one.metric}`).join(", ")],
    ["Constraints", (study.constraints ?? []).join(", ") || "none"],
    ["Decisions", `${study.decisions.length}`],
    ["Made", el("span", {}, when(study.created_at), el("span", { class: "soft small" }, ` ${exactTime(study.created_at)}`))],
    ...(study.tables ?? []).map((table) => [`Latency on ${table.device}`, tableWords(table)]),
    ...entries.filter(([, value]) => plainly(value)).map(([name, value]) => [name.replaceAll("_", " "), String(value)]),
  ];
  return el("div", { class: "panel" }, el("h2", {}, "About"), study.description && el("p", { class: "soft" }, study.description), el("dl", { class: "pair" }, rows.map(([name, value]) => [el("dt", {}, name), el("dd", { class: "wrap" }, value)])),
    rest.length > 0 && el("details", {}, el("summary", { class: "soft" }, "All settings"), el("pre", { class: "settings" }, JSON.stringify(Object.fromEntries(rest), null, 2))),
    study.launch && el("div", { class: "row gap" }, el("code", { class: "wrap" }, study.launch), button("Copy command", () => copy(study.launch), { class: "quiet" })));
}

// Which latency table: what measured it, when, and which of its versions.
function tableWords({ engine, created_at: made, sha256 }) {
  return [engine === "unknown" ? null : engine, made?.slice(0, 10), sha256 && `table ${sha256.slice(0, 8)}`].filter(Boolean).join(", ");
}
