// Three cards: the best under the constraints, the knee of the front, the hypervolume with its sparkline.
import { miniature } from "../drawing/miniature.js";
import { trialPage } from "../core/api.js";
import { el, fill, svg } from "../core/dom.js";
import { boundWords, parseBound } from "../front/pareto.js";
import { exact, metricWords, sig, whole } from "../core/format.js";

export function drawCards(place, data) {
  const waiting = draw(place, data);
  waiting?.catch((error) => console.warn("cards:", error.message));
}

async function draw(place, data) {
  const { summary } = data;
  const objectives = summary.objectives.map((one) => one.metric);
  await data.need(objectives.filter((name) => data.metrics.some((metric) => metric.name === name)));
  const best = bestRow(data, objectives[0]);
  fill(place, bestCard(data, objectives, best), kneeCard(data, objectives), volumeCard(summary));
}

// The front's trial that is best in the first objective: the front holds feasible trials only.
function bestRow(data, metric) {
  const values = data.column(metric);
  const sign = data.direction(metric) === "maximize" ? 1 : -1;
  let best = -1;
  for (const row of data.summary.front ?? []) if (best < 0 || sign * values[row] > sign * values[best]) best = row;
  return best;
}

const MOST = 1; // of the other objectives, in a card's last line

function bestCard(data, objectives, row) {
  const bounds = (data.summary.constraints ?? []).map((text) => [text, parseBound(text)]);
  const title = `Best ${words(data, objectives[0])}${bounds.length ? ` with ${bounds.map(([text, bound]) => (bound ? boundWords(data, bound) : text)).join(", ")}` : ""}`;
  if (row < 0) return empty(title, "No completed trial yet.");
  return trialCard(data, title, row, objectives, objectives[0]);
}

function kneeCard(data, objectives) {
  const { knee } = data.summary;
  const title = "Knee of the front";
  if (objectives.length < 2) return empty(title, "One objective: there is no front. The best trial is beside.");
  if (knee === null || knee === undefined) return empty(title, "Not known before a trial is on the front.");
  return trialCard(data, title, knee, objectives, objectives[0]);
}

function trialCard(data, title, row, objectives, main) {
  const others = objectives.filter((name) => name !== main);
  const value = (name) => data.column(name)?.[row];
  const drawing = el("span", { class: "card-drawing" });
  data.trial(row).then((trial) => fill(drawing, miniature(trial, { width: 150, height: 36, device: others[0] })), () => null);
  return el("a", { class: "card", href: trialPage(data.name, row) },
    el("h3", {}, title),
    el("div", { class: "big", title: exact(value(main)) }, sig(value(main)), el("small", {}, ` ${unit(data, main)}`)),
    el("div", { class: "foot-line" }, others.slice(0, MOST).map((name) => [el("span", { title: exact(value(name)) }, `${words(data, name)} ${sig(value(name))} ${unit(data, name)}`.trim()), " · "]),
      others.length > MOST && `${others.length - MOST} more · `, `trial ${row}`), drawing);
}

const words = (data, name) => metricWords(data.metric(name));
const unit = (data, name) => data.metric(name).unit ?? "";

function volumeCard(summary) {
  const points = summary.hypervolume ?? [];
  const front = `${whole(summary.front?.length ?? 0)} trials on the front`;
  if (summary.objectives.length < 2) return el("div", { class: "card" }, el("h3", {}, "Trials"), el("div", { class: "big" }, whole(summary.counts.completed)), el("div", { class: "foot-line" }, "completed"));
  if (!points.length) return empty("Hypervolume", summary.objectives.length > 4 ? `Not computed of over four objectives. ${front}.` : "Not known before a trial is on the front.");
  return el("div", { class: "card" }, el("h3", {}, "Hypervolume"), el("div", { class: "big", title: exact(points.at(-1)[1]) }, sig(points.at(-1)[1])), el("div", { class: "foot-line" }, front), sparkline(points));
}

const empty = (title, why) => el("div", { class: "card" }, el("h3", {}, title), el("div", { class: "big soft" }, "–"), el("div", { class: "foot-line" }, why));

export function sparkline(points, width = 120, height = 44) {
  const [last, most] = [points.at(-1)[0] || 1, Math.max(...points.map(([, value]) => value)) || 1];
  const least = Math.min(...points.map(([, value]) => value));
  const x = (at) => (at / last) * (width - 4) + 2;
  const y = (value) => height - 3 - ((value - least) / (most - least || 1)) * (height - 6);
  const path = points.map(([at, value], index) => (index ? `H${x(at).toFixed(1)}V${y(value).toFixed(1)}` : `M${x(at).toFixed(1)} ${y(value).toFixed(1)}`)).join("");
  return svg("svg", { class: "spark", width, height, "aria-hidden": "true" }, svg("path", { d: path, fill: "none", stroke: "var(--front)", "stroke-width": 1.8 }));
}
