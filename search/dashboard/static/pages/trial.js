// A trial: its metrics, its network, what its latency is made of, its decisions against another trial's, what happened to it.
import { get, page, studyPath, trialPage } from "../core/api.js";
import { command } from "../core/command.js";
import { button, byId, el, fill } from "../core/dom.js";
import { copy, start } from "../core/frame.js";
import { duration, exact, exactTime, metricWords, sig } from "../core/format.js";
import { follow } from "../core/live.js";
import { metricOf } from "../core/study_data.js";
import { stateMark, when } from "../study/words.js";
import { drawCurve } from "../trial/curve.js";
import { drawDecisions } from "../trial/decisions.js";
import { drawNetworkFigure } from "../trial/network.js";
import { drawOperators } from "../trial/operators.js";

const { study: name, number } = document.documentElement.dataset;

start(async () => {
  const [summary, trial] = await Promise.all([get(studyPath(name)), get(`${studyPath(name)}/trials/${number}`)]);
  draw(summary, trial);
  const unfinished = (one) => one.state === "RUNNING" || one.state === "PENDING";
  if (unfinished(trial)) {
    follow(name, summary.change_seq, async (news) => {
      if (news.numbers.includes(Number(number))) draw(await get(studyPath(name)), await get(`${studyPath(name)}/trials/${number}`));
    });
  }
});

function draw(summary, trial) {
  const metric = (key) => metricOf(summary, key);
  fill(byId("head-state"), stateMark(trial.state), " ", (summary.front ?? []).includes(trial.number) && el("span", { class: "tag" }, trial.number === summary.knee ? "knee of the front" : "on the front"));
  drawActions(summary, trial);
  const context = { summary, trial, metric };
  const columns = el("div", { class: "columns" });
  fill(byId("page"), cards(context), trial.state === "FAILED" || trial.reason ? reason(trial) : null);
  const main = byId("page");
  drawNetworkFigure(main, context);
  drawOperators(columns, context);
  drawCurve(columns, context);
  main.append(columns);
  const foot = el("div", { class: "columns" });
  main.append(foot);
  drawDecisions(foot, context);
  foot.append(facts(context));
  if (trial.log) main.append(log(trial));
}

function cards({ summary, trial, metric }) {
  const objectives = summary.objectives.map((one) => one.metric);
  const names = [...new Set([...objectives, ...Object.keys(trial.metrics ?? {})])].filter((key) => key in (trial.metrics ?? {}));
  if (!names.length) return el("p", { class: "notice" }, trial.state === "RUNNING" || trial.state === "PENDING" ? "It has not been evaluated yet: the page shows results as they come." : "It left no metrics.");
  return el("div", { class: "cards metrics" }, names.map((key) => el("div", { class: objectives.includes(key) ? "card main" : "card" }, el("h3", {}, metricWords(metric(key))),
    el("div", { class: "big", title: exact(trial.metrics[key]), "data-metric": key }, sig(trial.metrics[key]), el("small", {}, ` ${metric(key).unit ?? ""}`)))));
}

const reason = (trial) => el("section", {}, el("h3", {}, trial.state === "FAILED" ? "Why it failed" : "Why it ended so"), el("pre", { class: "reason", "data-reason": "" }, trial.reason || "No reason was recorded."));

const log = (trial) => el("section", {}, el("h3", {}, "Log"), el("p", { class: "soft small" }, "The end of what its evaluation wrote to standard output and standard error."), el("pre", { class: "log", "data-log": "", tabindex: "0", "aria-label": "Log" }, trial.log));

function drawActions(summary, trial) {
  const line = command(`export ${quoted(name)} --trial ${trial.number} --to ${quoted(`${name}-${trial.number}`)}`);
  const step = (to, words, key) => el("a", { class: "button", href: trialPage(name, to), "aria-label": key, rel: key }, words);
  fill(byId("head-actions"),
    trial.number > 0 && step(trial.number - 1, "←", "previous trial"), step(trial.number + 1, "→", "next trial"),
    el("a", { class: "button", href: page(`/compare?trials=${encodeURIComponent(name)}:${trial.number}${summary.knee !== null && summary.knee !== undefined && summary.knee !== trial.number ? `,${encodeURIComponent(name)}:${summary.knee}` : ""}`) }, "Compare"),
    button("Copy export command", () => copy(line, `Copied: ${line}`), { title: line, "data-command": line }));
}

const quoted = (text) => (/^[\w.@/-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

function facts({ trial }) {
  const rows = [
    ["State", stateMark(trial.state)], ["Attempt", String(trial.attempt ?? "–")], ["Worker", trial.worker || "–"],
    ["Asked", time(trial.created_at)], ["Started", time(trial.started_at)], ["Finished", time(trial.finished_at)], ["Took", duration(trial.elapsed_s)],
    ["Parent", trial.parent === null || trial.parent === undefined ? "–" : el("a", { href: trialPage(name, trial.parent) }, `trial ${trial.parent}`)],
    ...Object.entries(trial.metadata ?? {}).map(([key, value]) => [key.replaceAll("_", " "), typeof value === "object" ? JSON.stringify(value) : String(value)]),
    ...Object.entries(trial.links ?? {}).map(([key, value]) => [key.replaceAll("_", " "), linked(value)]),
  ];
  return el("div", { class: "panel" }, el("h2", {}, "Timings and worker"), el("dl", { class: "pair" }, rows.map(([key, value]) => [el("dt", {}, key), el("dd", { class: "wrap" }, value)])));
}

const time = (at) => (at ? el("span", {}, when(at), el("span", { class: "soft small" }, ` ${exactTime(at)}`)) : "–");
const linked = (value) => (/^https?:\/\//.test(value) ? el("a", { href: value, rel: "noopener noreferrer" }, value) : String(value).startsWith("/") ? el("a", { href: page(value) }, value) : String(value));
