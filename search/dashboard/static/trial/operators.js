// Latency by operator as bars: which layers the time goes to, on the chosen device.
import { axis, chart } from "../core/chart.js";
import { command } from "../core/command.js";
import { viridis } from "../core/colours.js";
import { el } from "../core/dom.js";
import { figure } from "../core/figure.js";
import { metricLabel, percent, sig, whole } from "../core/format.js";
import { pairs } from "../core/hover.js";
import { colour } from "../core/theme.js";
import { latencyOf, shortLabel } from "../drawing/network.js";
import { tickText } from "../canvas/scale.js";
import { chosenCost } from "./network.js";

const MOST = 14;

export function drawOperators(place, { trial, metric, summary }) {
  if (!trial.network?.layers?.length) return;
  const box = figure("Latency by operator", { id: "operators", height: 320 });
  place.append(box.box);
  const { layers } = trial.network;
  if (chosenCost(trial, summary) === null) {
    box.plot.style.setProperty("--height", "120px");
    box.empty("No latency is known by operator here. This measures this machine's:", el("br"), el("code", {}, command(`profile ${summary.has_program && summary.settings.study ? summary.settings.study : "SPACE"}`)));
    return;
  }
  const drawn = chart(box, option, {
    card: ({ data: bar }) => bar && [el("h3", {}, bar.name), pairs([[metricLabel(metric(chosenCost(trial, summary))), sig(bar.value)], ["share", percent(bar.share)], ["layers", whole(bar.count)]])],
    csv: () => [["operator", chosenCost(trial, summary), "layers"], grouped().map((one) => [one.name, one.value, one.count])],
  });
  document.addEventListener("params", drawn.redraw);

  function grouped() {
    const device = chosenCost(trial, summary);
    const sums = new Map();
    for (const layer of layers) {
      if (layer.skipped) continue;
      const name = shortLabel(layer);
      const repeats = layer.repeats ?? 1;
      const one = sums.get(layer.label) ?? { name, value: 0, count: 0 };
      one.value += repeats * (latencyOf(layer, device) ?? 0);
      one.count += repeats;
      sums.set(layer.label, one);
    }
    return [...sums.values()].sort((a, b) => b.value - a.value);
  }

  function option() {
    const all = grouped();
    const total = all.reduce((sum, one) => sum + one.value, 0) || 1;
    const shown = all.slice(0, MOST);
    const rest = all.slice(MOST);
    if (rest.length) shown.push({ name: `${rest.length} others`, value: rest.reduce((sum, one) => sum + one.value, 0), count: rest.reduce((sum, one) => sum + one.count, 0) });
    box.plot.style.setProperty("--height", `${Math.max(150, 56 + 24 * shown.length)}px`);
    shown.reverse();
    const device = chosenCost(trial, summary);
    const most = all[0]?.value || 1;
    const ink = (one) => (one.name === `${rest.length} others` ? colour("dominated") : viridis(one.value / most));
    return {
      xAxis: axis(metricLabel(metric(device)), { type: "value", min: 0, scale: false, axisLabel: { formatter: (value) => tickText(value, [value]) } }),
      yAxis: axis("", { type: "category", data: shown.map((one) => one.name), axisLabel: { width: box.plot.clientWidth > 800 ? 280 : 150, overflow: "truncate" } }),
      series: [{ type: "bar", barMaxWidth: 15, data: shown.map((one) => ({ ...one, share: one.value / total, itemStyle: { color: ink(one), borderRadius: [0, 3, 3, 0] } })) }],
    };
  }
}
