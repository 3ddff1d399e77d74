// One line: state, trials done of the budget, rate, time left, devices, seed; below it what to do where something is wrong.
import { devicePage, studyPage } from "../core/api.js";
import { deviceDot } from "../core/colours.js";
import { byId, el, fill } from "../core/dom.js";
import { whole } from "../core/format.js";
import { algorithmName, countsBar, done, driven, etaWords, rateWords, stateMark, when } from "./words.js";

export function drawStatus(place, data) {
  const study = data.summary;
  const { counts } = study;
  fill(byId("head-state"), stateMark(study.state, study.reason), ...(study.tags ?? []).map((tag) => [" ", el("span", { class: "tag" }, tag)]));
  const item = (words, ...value) => el("span", {}, `${words} `, el("b", {}, ...value));
  const others = ["infeasible", "stopped", "failed"].filter((kind) => counts[kind]).map((kind, index) => [index > 0 && ", ", el("a", { href: listOf(study, kind) }, `${whole(counts[kind])} ${kind}`)]);
  fill(place,
    el("span", {}, el("b", {}, whole(done(counts))), study.max_trials ? ` of ${whole(study.max_trials)} trials` : " trials", others.length > 0 && [" (", others, ")"]),
    counts.running > 0 && item(driven(study) ? "running" : "unfinished", whole(counts.running)),
    study.trials_per_minute > 0 && item("rate", rateWords(study.trials_per_minute)),
    study.state === "running" && item("time left", etaWords(study)),
    study.devices.length > 0 && el("span", {}, study.devices.length > 1 ? "devices " : "device ", study.devices.map((name, index) => [index > 0 && ", ", deviceLink(name)])),
    item("algorithm", algorithmName(study.algorithm)),
    item("seed", String(study.seed ?? "–")),
    el("span", {}, "last change ", when(study.updated_at)),
    el("span", {}, countsBar(study)),
    advice(study));
}

// The table of the trials in a state, with why they ended so.
const listOf = (study, kind) => `${studyPage(study.name)}?where=${encodeURIComponent(`state == "${kind.toUpperCase()}"`)}&columns=number,state,reason,worker#table`;

const deviceLink = (name) => el("a", { href: devicePage(name) }, deviceDot(name), " ", name);

function advice(study) {
  const { state, counts, driver_host: host, driver_seen_at: seen, reason, launch } = study;
  const again = launch ? [" Launch the study again to go on: ", el("code", {}, launch)] : " Run its program again to go on.";
  const words = {
    interrupted: [`Driver${host ? ` on host ${host}` : ""} stopped answering`, seen && [" ", when(seen)], ". No result is lost.", again],
    paused: "Paused: no new trial is started, running ones finish. Resume it here.",
    pausing: "Running trials finish, then it is paused.",
    stopping: ["Running trials finish, then it stops.", again],
    stopped: [reason && `Stopped: ${reason}.`, again],
    done: counts.failed > 0 && counts.failed === done(counts) && ["Every trial failed: ", el("a", { href: listOf(study, "failed") }, "see why"), "."],
  }[state];
  return words ? el("p", { class: "advice", "data-advice": "" }, words) : null;
}
