// How a study stands, in words; and its trials by state as a bar.
import { el } from "../core/dom.js";
import { ago, duration, exact, exactTime, sig, whole } from "../core/format.js";

const KINDS = ["completed", "infeasible", "failed", "stopped", "running"];

export const stateMark = (state, reason = "") => el("span", { class: "state", "data-state": state, title: reason || null }, state.toLowerCase().replaceAll("_", " "));

export function done(counts) {
  return (counts.completed ?? 0) + (counts.infeasible ?? 0) + (counts.stopped ?? 0) + (counts.failed ?? 0);
}

export function countsBar(study) {
  const { counts } = study;
  const total = Math.max(study.max_trials ?? 0, done(counts) + (counts.running ?? 0) + (counts.pending ?? 0), 1);
  const words = KINDS.filter((kind) => counts[kind]).map((kind) => `${whole(counts[kind])} ${kind}`).join(", ") || "no trial yet";
  return el("span", { class: "progress", role: "img", "aria-label": words, title: words }, KINDS.filter((kind) => counts[kind]).map((kind) =>
    el("span", { class: kind, style: { width: `${(100 * counts[kind]) / total}%` } })));
}

// Whether somebody works on the trials that have begun.
export const driven = ({ state }) => ["running", "pausing", "stopping"].includes(state);

export const trialsWords = (study) => `${whole(done(study.counts))}${study.max_trials ? ` of ${whole(study.max_trials)}` : ""}`;

export const when = (time) => el("time", { title: exactTime(time), "data-time": time ?? "" }, ago(time));

export const value = (number, digits = 4) => el("span", { title: exact(number) }, sig(number, digits));

export function rateWords(rate) {
  if (rate === null || rate === undefined) return "–";
  return rate >= 120 ? `${sig(rate / 60, 3)}/s` : rate >= 1 ? `${sig(rate, 3)}/min` : `${sig(60 * rate, 3)}/h`;
}

export const etaWords = (study) => (study.state === "running" && study.eta_s > 0 ? duration(study.eta_s) : "–");

// Brings every "3 min ago" up to date.
setInterval(() => {
  for (const node of document.querySelectorAll("time[data-time]")) {
    const { time } = node.dataset;
    if (time) node.textContent = ago(Number.isNaN(Number(time)) ? time : Number(time));
  }
}, 15000);

// An algorithm is stored as its name, or as a document that has it.
export function algorithmName(algorithm) {
  if (!algorithm) return "–";
  if (typeof algorithm === "string") return algorithm;
  return String(algorithm.name ?? algorithm.algorithm ?? algorithm._type ?? "–").split(".").at(-1);
}
