// The card of a trial under the pointer: its metrics, its network in miniature, what differs from the knee.
import { miniature } from "../drawing/miniature.js";
import { debounce, el } from "../core/dom.js";
import { decided, metricLabel, sig } from "../core/format.js";
import { pairs, replaceInCard, showCard } from "../core/hover.js";
import { STATES } from "../core/study_data.js";

const later = debounce((work) => work(), 60);
let showing = -1;

export function showTrialCard(data, row, x, y, metrics, { device, knee } = {}) {
  showing = row;
  const state = STATES[data.column("state")[row]];
  const rows = metrics.map((name) => [metricLabel(data.metric(name)), sig(data.column(name)?.[row], 3)]);
  const head = el("h3", {}, `Trial ${row}`, state === "COMPLETED" ? el("span", { class: "soft small" }, row === knee ? "knee of the front" : "")
    : el("span", { class: "state", "data-state": state }, state.toLowerCase()));
  showCard(x, y, head, pairs(rows), el("div", { class: "mini", "data-mini": "" }), el("div", { class: "differs", "data-differs": "" }));
  later(() => more(data, row, device, knee));
}

async function more(data, row, device, knee) {
  const [trial, other] = await Promise.all([data.trial(row), knee === null || knee === undefined || knee === row ? null : data.trial(knee)]).catch(() => []);
  if (!trial || showing !== row) return;
  replaceInCard("[data-mini]", miniature(trial, { device }));
  replaceInCard("[data-differs]", other ? differs(trial, other) : "");
}

function differs(trial, knee) {
  const theirs = new Map(knee.decisions.map((decision) => [decision.name, decision]));
  const changed = trial.decisions.filter((one) => one.active !== false && one.label !== theirs.get(one.name)?.label);
  if (!changed.length) return "the same choices as the knee";
  const words = changed.slice(0, 3).map((one) => `${one.name} ${decided(one)}`).join(", ");
  return `differs from the knee in ${changed.length} of ${trial.decisions.length}: ${words}${changed.length > 3 ? ", …" : ""}`;
}
