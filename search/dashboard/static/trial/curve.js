// What a trial reported step by step.
import { axis, chart } from "../core/chart.js";
import { category } from "../core/colours.js";
import { el, select } from "../core/dom.js";
import { addTools, figure } from "../core/figure.js";
import { metricLabel, sig, whole, exactTime } from "../core/format.js";
import { pairs } from "../core/hover.js";
import { tickText } from "../canvas/scale.js";

export function drawCurve(place, { trial, metric, summary }) {
  const steps = trial.curve ?? [];
  if (steps.length < 2) return;
  const names = [...new Set(steps.flatMap((step) => Object.keys(step.metrics)))];
  const varying = names.filter((name) => new Set(steps.map((step) => step.metrics[name]).filter((value) => value !== undefined)).size > 1);
  let shown = (varying.includes(summary.objectives[0].metric) ? summary.objectives[0].metric : varying[0]) ?? names[0];
  const box = figure("Curve", { id: "curve", height: 320 });
  place.append(box.box);
  const points = () => steps.filter((step) => Number.isFinite(step.metrics[shown])).map((step) => [step.step, step.metrics[shown], step.at]);
  const drawn = chart(box, () => ({
    xAxis: axis("step", { type: "value", scale: false, minInterval: 1 }),
    yAxis: axis(metricLabel(metric(shown)), { type: "value", nameGap: 46, axisLabel: { formatter: (value) => tickText(value, [value]) } }),
    series: [{ type: "line", data: points(), symbolSize: 5, lineStyle: { width: 2, color: category(0) }, itemStyle: { color: category(0) } }],
  }), {
    card: ({ data: point }) => point && [el("h3", {}, `Step ${whole(point[0])}`), pairs([[metricLabel(metric(shown)), sig(point[1])], ["at", exactTime(point[2])]])],
    csv: () => [["step", ...names], steps.map((step) => [step.step, ...names.map((name) => step.metrics[name])])],
  });
  addTools(box, select(names.map((name) => ({ value: name, words: metricLabel(metric(name)) })), shown, (name) => {
    shown = name;
    drawn.redraw();
  }, "Metric"));
}
