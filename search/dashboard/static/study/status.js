// One line: state, trials done of the budget, rate, time left, devices, seed; below it what to do where something is wrong.
import { devicePage } from "../core/api.js";
import { deviceColour } from "../core/colours.js";
import { byId, el, fill } from "../core/dom.js";
import { duration, whole } from "../core/format.js";
import { algorithmName, countsBar, done, etaWords, rateWords, stateMark, when } from "./words.js";

export function drawStatus(place, data) {
  const study = data.summary;
  const { counts } = study;
  fill(byId("head-state"), stateMark(study.state, study.reason), ...(study.tags ?? []).map((tag) => [" ", el("span", { class: "tag" }, tag)]));
  const item = (words, ...value) => el("span", {}, `${words} `, el("b", {}, ...value));
  const others = ["infeasible", "stopped", "failed"].filter((kind) => counts[kind]).map((kind) => `${whole(counts[kind])} ${kind}`);
  fill(place,
    el("span", {}, el("b", {}, whole(done(counts))), study.max_trials ? ` of ${whole(study.max_trials)} trials` : " trials", others.length > 0 && ` (${others.join(", ")})`),
    counts.running > 0 && item("running", whole(counts.running)),
    study.trials_per_minute > 0 && item("rate", rateWords(study.trials_per_minute)),
    study.state === "running" && item("time left", etaWords(study)),
    study.devices.length > 0 && el("span", {}, study.devices.length > 1 ? "devices " : "device ", study.devices.map((name, index) => [index > 0 && ", ", deviceLink(name)])),
    item("algorithm", algorithmName(study.algorithm)),
    item("seed", String(study.seed ?? "–")),
    el("span", {}, "last change ", when(study.updated_at)),
    el("span", {}, countsBar(study)),
    advice(study));
}

function deviceLink(name) {
  const dot = el("span", { class: "dot" });
  dot.style.setProperty("--at", deviceColour(name));
  return el("a", { href: devicePage(name) }, dot, " ", name);
}

function advice(study) {
  const seen = study.driver_seen_s;
  const quiet = seen === null || seen === undefined ? "" : ` ${duration(seen)} ago`;
  const words = {
    interrupted: `The driver stopped answering${quiet}. Launch the study again to go on; no result is lost.`,
    paused: "Paused: no new trial is started, running ones finish. Resume it here.",
    pausing: "Running trials finish, then it is paused.",
    stopping: "Running trials finish, then it stops; launching it again goes on.",
    failed: study.reason,
    stopped: study.reason && `Stopped: ${study.reason}.`,
  }[study.state];
  return words ? el("span", { class: "soft", "data-advice": "" }, words) : null;
}
