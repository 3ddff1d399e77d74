// How much each decision matters for a metric, by the method that the server names.
import { axis, chart } from "../core/chart.js";
import { el, select } from "../core/dom.js";
import { addTools } from "../core/figure.js";
import { metricLabel, sig, whole } from "../core/format.js";
import { pairs } from "../core/hover.js";
import { param, setParams } from "../core/location.js";
import { colour } from "../core/theme.js";

export const title = "Importance of decisions";
export const section = "decisions";
export const order = 30;
export const height = 320;

const MOST = 20;

export async function draw(figure, { data }) {
  const objectives = data.summary.objectives.map((one) => one.metric);
  let metric = data.metrics.some((one) => one.name === param("important")) ? param("important") : objectives[0];
  let found = null;
  let drawn = null;
  const names = [...new Set([...objectives, ...data.metrics.map((one) => one.name)])];
  addTools(figure, select(names.map((name) => ({ value: name, words: metricLabel(data.metric(name)) })), metric, (name) => {
    metric = name;
    setParams({ important: name === objectives[0] ? "" : name });
    ask();
  }, "Metric"));
  await ask();

  async function ask() {
    try {
      found = await data.answer(`/importance?metric=${encodeURIComponent(metric)}`);
    } catch (error) {
      drawn?.dispose();
      drawn = null;
      figure.failed(error);
      return;
    }
    if (!found.decisions.length) {
      figure.plot.style.setProperty("--height", "120px");
      figure.empty(found.why || "No importance yet: it needs more completed trials.");
      drawn?.dispose();
      drawn = null;
      return;
    }
    const shown = Math.min(MOST, found.decisions.length);
    figure.plot.style.setProperty("--height", `${Math.max(160, 60 + 24 * shown)}px`);
    drawn ??= chart(figure, option, {
      card: ({ data: bar }) => bar && [el("h3", {}, bar.name), pairs([["importance", sig(bar.value, 3)], ["spread", sig(bar.spread, 3)]])],
      csv: () => [["decision", "importance", "spread"], found.decisions.map((one) => [one.name, one.importance, one.spread])],
    });
    drawn.redraw();
    figure.say(`${found.method}; ${whole(found.sample)} trials.`, shown < found.decisions.length ? ` The ${shown} most important of ${found.decisions.length}.` : "");
  }

  function option() {
    const sorted = [...found.decisions].sort((a, b) => b.importance - a.importance).slice(0, MOST).reverse();
    const whiskers = sorted.map((one, index) => [index, Math.max(0, one.importance - one.spread), one.importance + one.spread]);
    return {
      xAxis: axis("share of all importance", { type: "value", min: 0, scale: false }),
      yAxis: axis("", { type: "category", data: sorted.map((one) => one.name), axisLabel: { width: 150, overflow: "truncate" } }),
      series: [
        { type: "bar", barMaxWidth: 14, data: sorted.map((one) => ({ value: one.importance, name: one.name, spread: one.spread })), itemStyle: { color: colour("front"), borderRadius: [0, 3, 3, 0] } },
        { type: "custom", silent: true, data: whiskers, encode: { x: [1, 2], y: 0 }, renderItem: whisker, z: 3 },
      ],
    };
  }
}

function whisker(_params, api) {
  const [low, y] = api.coord([api.value(1), api.value(0)]);
  const [high] = api.coord([api.value(2), api.value(0)]);
  return { type: "line", shape: { x1: low, y1: y, x2: high, y2: y }, style: { stroke: colour("ink"), lineWidth: 1.2 } };
}
