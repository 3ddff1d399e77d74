// Studies side by side: how they stand, their fronts over one another, hypervolume over evaluations.
import { studyPage, trialPage } from "../core/api.js";
import { drawAxes, plane } from "../canvas/axes.js";
import { Nearest } from "../canvas/nearest.js";
import { extent, makeScale, spansDecade, tickText } from "../canvas/scale.js";
import { pointOf, surface } from "../canvas/surface.js";
import { axis, chart } from "../core/chart.js";
import { category } from "../core/colours.js";
import { el, fill, select } from "../core/dom.js";
import { addTools, figure, toggle } from "../core/figure.js";
import { metricLabel, sig, whole } from "../core/format.js";
import { hideCard, pairs, showCard } from "../core/hover.js";
import { param, setParams } from "../core/location.js";
import { STATES, StudyData } from "../core/study_data.js";
import { colour } from "../core/theme.js";
import { disc } from "../front/plane.js";
import { recosted } from "../front/view.js";
import { paretoFront } from "../front/pareto.js";
import { algorithmName, rateWords, stateMark, trialsWords } from "../study/words.js";
import { hypervolumeOver } from "./hypervolume.js";

const COMPLETED = STATES.indexOf("COMPLETED");

export async function compareStudies(place, names) {
  const studies = await Promise.all(names.map((name) => new StudyData(name).open()));
  const known = (data) => [...data.metrics.map((metric) => metric.name), ...recosted(data)];
  const shared = [...new Set(known(studies[0]))].filter((name) => studies.every((data) => known(data).includes(name)));
  fill(place, overview(studies));
  if (shared.length < 2) {
    place.append(el("p", { class: "notice" }, "These studies share fewer than two metrics: there is no plane for their fronts."));
    return;
  }
  const columns = el("div", { class: "columns" });
  const [fronts, volumes] = [figure("Fronts overlaid", { id: "fronts", height: 440 }), figure("Hypervolume over evaluations", { id: "volumes", height: 440 })];
  columns.append(fronts.box, volumes.box);
  place.append(columns);
  const objectives = studies[0].summary.objectives.map((one) => one.metric).filter((name) => shared.includes(name));
  const named = (key, other) => (shared.includes(param(key)) ? param(key) : other);
  const view = { y: named("y", objectives[0] ?? shared[0]), log: param("logx") };
  view.x = named("x", objectives[1] ?? shared.find((name) => name !== view.y));
  let drawn = await drawBoth();
  const options = shared.map((name) => ({ value: name, words: metricLabel(studies[0].metric(name)) }));
  const alter = async (changes) => {
    Object.assign(view, changes);
    setParams({ x: view.x, y: view.y, logx: view.log });
    drawn.dispose();
    drawn = await drawBoth();
  };
  addTools(fronts, el("label", {}, "across", select(options, view.x, (x) => alter({ x }), "Metric across")), el("label", {}, "up", select(options, view.y, (y) => alter({ y }), "Metric up")),
    toggle("log across", logged(), (on) => alter({ log: on ? "yes" : "no" })));

  function logged() {
    const ranges = studies.map((data) => extent(data.column(view.x)));
    const range = [Math.min(...ranges.map(([low]) => low)), Math.max(...ranges.map(([, high]) => high))];
    return range[0] > 0 && (view.log ? view.log === "yes" : spansDecade(range));
  }

  async function drawBoth() {
    await Promise.all(studies.map((data) => data.need([view.x, view.y])));
    overlay(fronts, studies, { ...view, log: logged() });
    return volume(volumes, studies, view);
  }
}

function overview(studies) {
  const line = (words, of) => el("tr", {}, el("td", { class: "soft" }, words), studies.map((data) => el("td", { class: "num" }, of(data.summary, data))));
  const objectives = [...new Set(studies.flatMap((data) => data.summary.objectives.map((one) => one.metric)))];
  const head = studies.map((data, index) => {
    const dot = el("span", { class: "dot" });
    dot.style.setProperty("--at", category(index));
    return el("th", { scope: "col", class: "num" }, dot, " ", el("a", { href: studyPage(data.name) }, data.name));
  });
  return el("div", { class: "panel" }, el("div", { class: "scroll-x", tabindex: "0", role: "region", "aria-label": "Studies" }, el("table", { class: "table" }, el("thead", {}, el("tr", {}, el("th", { scope: "col" }, ""), head)), el("tbody", {},
    line("state", (one) => stateMark(one.state)), line("algorithm", (one) => algorithmName(one.algorithm)), line("seed", (one) => String(one.seed ?? "–")), line("trials", trialsWords), line("rate", (one) => rateWords(one.trials_per_minute)), line("on the front", (one) => whole(one.front?.length)),
    objectives.map((name) => line(`best ${metricLabel(studies[0].metric(name))}`, (one) => sig(one.best?.[name])))))));
}

function overlay(box, studies, view) {
  const laid = [];
  const surfaceOf = surface(box, (pen, width, height) => {
    const area = plane(width, height);
    const fronts = studies.map((data) => paretoFront(data.column("state"), [{ values: data.column(view.x), direction: data.direction(view.x) }, { values: data.column(view.y), direction: data.direction(view.y) }]));
    const all = (name) => studies.flatMap((data, at) => fronts[at].map((row) => data.column(name)[row]));
    const x = makeScale(extent(all(view.x)), [area.left, area.left + area.width], { log: view.log, margin: 0.06 });
    const y = makeScale(extent(all(view.y)), [area.top + area.height, area.top], { margin: 0.06 });
    drawAxes(pen, area, x, y, { xTitle: metricLabel(studies[0].metric(view.x)), yTitle: metricLabel(studies[0].metric(view.y)) });
    laid.length = 0;
    studies.forEach((data, at) => {
      const points = fronts[at].map((row) => ({ data, row, x: x.at(data.column(view.x)[row]), y: y.at(data.column(view.y)[row]) }));
      laid.push(...points);
      pen.strokeStyle = category(at);
      pen.lineWidth = 2;
      pen.beginPath();
      points.forEach((point, index) => {
        if (!index) pen.moveTo(point.x, point.y);
        else {
          pen.lineTo(point.x, points[index - 1].y);
          pen.lineTo(point.x, point.y);
        }
      });
      pen.stroke();
      for (const point of points) disc(pen, point.x, point.y, 4, category(at), colour("panel"));
    });
  }, { label: `Fronts of ${studies.map((data) => data.name).join(", ")} in ${view.x} and ${view.y}` });
  const find = (event) => {
    const [x, y] = pointOf(surfaceOf.canvas, event);
    const nearest = new Nearest(laid.map((one) => one.x), laid.map((one) => one.y), [...laid.keys()], box.plot.clientWidth, box.plot.clientHeight);
    return laid[nearest.find(x, y)];
  };
  surfaceOf.canvas.addEventListener("pointermove", (event) => {
    const point = find(event);
    surfaceOf.canvas.style.cursor = point ? "pointer" : "default";
    if (!point) hideCard();
    else showCard(event.clientX, event.clientY, el("h3", {}, `${point.data.name}, trial ${point.row}`), pairs([view.y, view.x].map((name) => [metricLabel(point.data.metric(name)), sig(point.data.column(name)[point.row], 3)])));
  });
  surfaceOf.canvas.addEventListener("pointerleave", hideCard);
  surfaceOf.canvas.addEventListener("click", (event) => {
    const point = find(event);
    if (point) location.href = trialPage(point.data.name, point.row);
  });
  box.say(legend(studies));
}

function legend(studies) {
  return el("span", { class: "legend" }, studies.map((data, at) => {
    const mark = el("i", { class: "line" });
    mark.style.setProperty("--at", category(at));
    return el("span", {}, mark, data.name);
  }));
}

function volume(box, studies, view) {
  const losses = studies.map((data) => lossesOf(data, view));
  const done = losses.flat();
  const reference = [0, 1].map((at) => done.reduce((most, point) => Math.max(most, point[at]), -Infinity));
  const histories = losses.map((points) => hypervolumeOver(points, reference));
  const most = Math.max(...histories.map((history) => history.at(-1)[1])) || 1;
  const early = histories.map((history, at) => history.filter(([count]) => count <= 0.05 * losses[at].length).at(-1)?.[1] ?? 0);
  const least = Math.max(0, Math.floor((20 * Math.min(...early)) / most - 1) / 20);
  const drawn = chart(box, () => ({
    xAxis: axis("completed trials", { type: "value", scale: false }),
    yAxis: axis("hypervolume (best of these = 1)", { type: "value", min: least, max: 1, nameGap: 40, scale: false, axisLabel: { formatter: (value) => tickText(value, [value]) } }),
    series: studies.map((data, at) => ({ type: "line", step: "end", clip: true, name: data.name, data: histories[at].map(([count, value]) => [count, value / most]), showSymbol: histories[at].length < 60, symbolSize: 4, lineStyle: { color: category(at), width: 2 }, itemStyle: { color: category(at) } })),
  }), {
    card: ({ data: point, seriesName }) => point && [el("h3", {}, seriesName), pairs([["completed trials", whole(point[0])], ["hypervolume", sig(point[1])]])],
    csv: () => [["study", "trials", "hypervolume"], studies.flatMap((data, at) => histories[at].map(([count, value]) => [data.name, count, value]))],
  });
  box.say(`In ${metricLabel(studies[0].metric(view.y))} and ${metricLabel(studies[0].metric(view.x))}, one reference for all: the worst values that any of these studies saw.`);
  return drawn;
}

function lossesOf(data, view) {
  const states = data.column("state");
  const columns = [view.x, view.y].map((name) => [data.column(name), data.direction(name) === "maximize" ? -1 : 1]);
  const points = [];
  for (let row = 0; row < data.rows; row += 1) {
    if (states[row] !== COMPLETED) continue;
    const point = columns.map(([values, sign]) => sign * values[row]);
    if (point.every(Number.isFinite)) points.push(point);
  }
  return points;
}
