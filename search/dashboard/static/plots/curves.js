// Intermediate results: a metric at each step of the trials that report more than one.
import { axis, chart } from "../core/chart.js";
import { trialPage } from "../core/api.js";
import { el, select } from "../core/dom.js";
import { addTools } from "../core/figure.js";
import { metricLabel, sig, whole } from "../core/format.js";
import { pairs } from "../core/hover.js";
import { param, setParams } from "../core/location.js";
import { colour } from "../core/theme.js";
import { tickText } from "../canvas/scale.js";

export const title = "Intermediate curves";
export const section = "progress";
export const order = 50;
export const height = 320;

export async function draw(figure, { data, selection }) {
  let metric = param("curve") || data.summary.objectives[0].metric;
  let found = await ask();
  if (!found.curves.length && found.metrics.length && !found.metrics.includes(metric)) {
    [metric] = found.metrics;
    found = await ask();
  }
  if (!found.curves.length) {
    figure.plot.style.setProperty("--height", "120px");
    figure.empty("No trial reported more than one step: an evaluator that yields metrics as it goes fills this.");
    return;
  }
  const front = () => new Set(data.summary.front ?? []);
  const drawn = chart(figure, option, {
    card: ({ seriesName, data: point }) => point && [el("h3", {}, `Trial ${seriesName}`), pairs([["step", whole(point[0])], [metricLabel(data.metric(metric)), sig(point[1])]])],
    click: ({ seriesName }) => { location.href = trialPage(data.name, seriesName); },
    csv: () => [["number", "step", metric], found.curves.flatMap(({ number, points }) => points.map(([step, value]) => [number, step, value]))],
  });
  const names = found.metrics.length ? found.metrics : [metric];
  addTools(figure, select(names.map((name) => ({ value: name, words: metricLabel(data.metric(name)) })), metric, async (name) => {
    metric = name;
    setParams({ curve: name });
    found = await ask();
    drawn.redraw();
  }, "Metric"));
  selection.onchange(drawn.redraw);
  data.onchange(async () => {
    found = await ask().catch(() => found);
    drawn.redraw();
  });

  function ask() { return data.answer(`/curves?metric=${encodeURIComponent(metric)}&limit=200`); }

  function option() {
    const best = front();
    figure.say(found.total > found.curves.length ? `${whole(found.curves.length)} of ${whole(found.total)} curves: the front's and the latest.` : `${whole(found.curves.length)} curves; the front's in colour.`);
    return {
      xAxis: axis("step", { type: "value", scale: false, minInterval: 1 }),
      yAxis: axis(metricLabel(data.metric(metric)), { type: "value", nameGap: 46, axisLabel: { formatter: (value) => tickText(value, [value]) } }),
      series: found.curves.map(({ number, points }) => {
        const strong = selection.mask ? selection.has(number) : best.has(number);
        return { type: "line", name: String(number), data: points, showSymbol: points.length < 3, symbolSize: 4, triggerLineEvent: true, lineStyle: { width: strong ? 1.8 : 1, opacity: strong ? 0.95 : 0.35, color: colour(strong ? (selection.mask ? "accent" : "front") : "dominated") }, itemStyle: { color: colour(strong ? "front" : "dominated") }, z: strong ? 3 : 2, emphasis: { lineStyle: { width: 2.5 } } };
      }),
    };
  }
}
