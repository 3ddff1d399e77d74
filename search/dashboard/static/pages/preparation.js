// One preparation: how it stands, its curves.
import { get, studyPage } from "../core/api.js";
import { axis, chart } from "../core/chart.js";
import { category } from "../core/colours.js";
import { byId, el, fill } from "../core/dom.js";
import { figure } from "../core/figure.js";
import { start } from "../core/frame.js";
import { sig, whole } from "../core/format.js";
import { pairs } from "../core/hover.js";
import { stateMark, when } from "../study/words.js";
import { tickText } from "../canvas/scale.js";
import { progress } from "./preparations.js";

start(async () => {
  const found = await get(`/preparations/${encodeURIComponent(document.documentElement.dataset.key)}`);
  const known = new Set(["curves", "studies", "state", "progress", "created_at", "updated_at", "key", "kind"]);
  const said = (value) => value !== null && value !== "" && !(typeof value === "object" && !Object.keys(value).length);
  const facts = [["made", when(found.created_at)], ...Object.entries(found).filter(([name, value]) => !known.has(name) && said(value)).map(([name, value]) => [name.replaceAll("_", " "), typeof value === "object" ? JSON.stringify(value) : String(value)])];
  document.querySelector("h1").textContent = found.kind;
  fill(byId("page"), el("div", { class: "statusline" }, stateMark(String(found.state).toLowerCase()), el("span", {}, "progress ", el("b", {}, progress(found.progress))), el("span", {}, "last change ", when(found.updated_at)), el("span", {}, (found.studies ?? []).map((name) => [el("a", { href: studyPage(name) }, name), " "]))));
  const columns = el("div", { class: "columns" });
  byId("page").append(columns);
  for (const curve of curvesOf(found)) draw(columns, curve);
  columns.append(el("div", { class: "panel" }, el("h2", {}, "About"), el("dl", { class: "pair" }, facts.map(([key, value]) => [el("dt", {}, key), el("dd", { class: "wrap mono" }, value)]))));
});

// {name: [[step, value]]} or [{name, points}].
function curvesOf({ curves }) {
  if (Array.isArray(curves)) return curves.map(({ name, metric, points }) => ({ name: name ?? metric, points }));
  return Object.entries(curves ?? {}).map(([name, points]) => ({ name, points }));
}

function draw(place, { name, points }) {
  const box = figure(name.replaceAll("_", " "), { id: name, height: 300 });
  place.append(box.box);
  chart(box, () => ({
    xAxis: axis("step", { type: "value", scale: false, minInterval: 1 }), yAxis: axis(name.replaceAll("_", " "), { type: "value", nameGap: 46, axisLabel: { formatter: (value) => tickText(value, [value]) } }),
    series: [{ type: "line", data: points, showSymbol: points.length < 50, lineStyle: { color: category(0), width: 2 }, itemStyle: { color: category(0) } }],
  }), { card: ({ data: point }) => point && [el("h3", {}, `Step ${whole(point[0])}`), pairs([[name, sig(point[1])]])], csv: () => [["step", name], points] });
}
