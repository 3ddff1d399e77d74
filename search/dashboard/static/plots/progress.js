// An objective over the trials: each completed trial, and the best so far.
import { axis, chart } from "../core/chart.js";
import { trialPage } from "../core/api.js";
import { el, select } from "../core/dom.js";
import { addTools, choiceGroup } from "../core/figure.js";
import { exactTime, metricLabel, sig } from "../core/format.js";
import { pairs } from "../core/hover.js";
import { param, setParams } from "../core/location.js";
import { STATES } from "../core/study_data.js";
import { colour } from "../core/theme.js";
import { mostOf, tickText } from "../canvas/scale.js";

export const title = "Objective over time";
export const section = "progress";
export const order = 10;
export const height = 320;

const COMPLETED = STATES.indexOf("COMPLETED");
const MOST = 3000;

export async function draw(figure, { data, selection }) {
  const objectives = data.summary.objectives.map((one) => one.metric);
  const asked = param("objective");
  let metric = data.metrics.some((one) => one.name === asked) ? asked : objectives[0];
  let across = param("over") === "time" ? "finished_at" : "number";
  await data.need(["finished_at", metric]);
  const drawn = chart(figure, option, {
    label: "Each completed trial's objective, and the best so far",
    card: ({ data: point }) => point && [el("h3", {}, `Trial ${point[2]}`), pairs([[metricLabel(data.metric(metric)), sig(point[1])], ["finished", exactTime(data.column("finished_at")[point[2]])]])],
    click: ({ data: point }) => { location.href = trialPage(data.name, point[2]); },
    csv: () => [["number", metric, "best"], series().best.map(([, best, row]) => [row, data.column(metric)[row], best])],
  });
  const names = [...new Set([...objectives, ...data.metrics.map((one) => one.name)])];
  addTools(figure,
    select(names.map((name) => ({ value: name, words: metricLabel(data.metric(name)) })), metric, async (name) => {
      await data.need([name]);
      metric = name;
      setParams({ objective: name === objectives[0] ? "" : name });
      drawn.redraw();
    }, "Metric"),
    choiceGroup("Over", [{ value: "number", words: "trials" }, { value: "finished_at", words: "time" }], across, (value) => {
      across = value;
      setParams({ over: value === "number" ? "" : "time" });
      drawn.redraw();
    }));
  data.onchange(drawn.redraw);
  selection.onchange(drawn.redraw);

  function series() {
    const [values, states, times] = [data.column(metric), data.column("state"), data.column("finished_at")];
    const better = data.direction(metric) === "maximize" ? (a, b) => a > b : (a, b) => a < b;
    const rows = [];
    for (let row = 0; row < data.rows; row += 1) if (states[row] === COMPLETED && Number.isFinite(values[row])) rows.push(row);
    if (across !== "number") rows.sort((a, b) => times[a] - times[b]);
    const at = (row) => (across === "number" ? row : 1000 * times[row]);
    const best = [];
    let top = NaN;
    for (const row of rows) {
      if (!(Number.isNaN(top) || better(values[row], top))) continue;
      top = values[row];
      best.push([at(row), top, row]);
    }
    if (rows.length) best.push([at(rows.at(-1)), top, best.at(-1)[2]]);
    const step = Math.max(1, Math.ceil(rows.length / MOST));
    const points = rows.filter((_, index) => index % step === 0).map((row) => [at(row), values[row], row]);
    return { best, points, step };
  }

  function option() {
    const { best, points, step } = series();
    const values = data.column(metric);
    const states = data.column("state");
    const [low, high] = mostOf(values, (row) => states[row] === COMPLETED, best.slice(1).map((point) => point[2]), data.direction(metric));
    const room = 0.06 * (high - low) || 0.5;
    const outside = points.filter((point) => point[1] < low || point[1] > high).length;
    figure.say(outside ? `${outside} far worse trials lie outside of the plot. ` : "", step > 1 ? `Every ${step}th trial is drawn; the best so far is exact.` : "");
    const inside = points.filter((point) => selection.has(point[2]));
    const dots = (items, ink, opacity) => ({ type: "scatter", data: items, symbolSize: 4, itemStyle: { color: colour(ink), opacity }, cursor: "pointer" });
    return {
      xAxis: across === "number" ? axis("trial", { type: "value", min: 0, scale: false }) : axis("finished", { type: "time" }),
      yAxis: axis(metricLabel(data.metric(metric)), { type: "value", nameGap: 46, min: nice(low - room, high - low, Math.floor), max: nice(high + room, high - low, Math.ceil), axisLabel: { formatter: (value) => tickText(value, [value]) } }),
      series: [
        ...(selection.mask ? [dots(points, "dominated", 0.2), dots(inside, "accent", 0.9)] : [dots(points, "dominated", 0.55)]),
        { type: "line", step: "end", data: best, symbol: "circle", symbolSize: 5, lineStyle: { color: colour("front"), width: 2 }, itemStyle: { color: colour("front") }, z: 3 },
      ],
    };
  }
}

// A bound a little further out, of few digits.
function nice(bound, span, round) {
  const step = 10 ** Math.floor(Math.log10(span || 1) - 0.7);
  return Number((round(bound / step) * step).toPrecision(8));
}
