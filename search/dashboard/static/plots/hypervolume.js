// Hypervolume of the front over the trials that are done.
import { axis, chart } from "../core/chart.js";
import { el } from "../core/dom.js";
import { sig, whole } from "../core/format.js";
import { pairs } from "../core/hover.js";
import { colour } from "../core/theme.js";
import { tickText } from "../canvas/scale.js";

export const title = "Hypervolume";
export const section = "progress";
export const order = 11;
export const height = 320;
export const applies = (data) => data.summary.objectives.length > 1 && (data.summary.hypervolume?.length ?? 0) > 1;

export function draw(figure, { data }) {
  const option = () => ({
    xAxis: axis("trials done", { type: "value", scale: false }),
    yAxis: axis("hypervolume", { type: "value", nameGap: 46, axisLabel: { formatter: (value) => tickText(value, [value]) } }),
    series: [{ type: "line", step: "end", data: data.summary.hypervolume, symbolSize: 5, showSymbol: data.summary.hypervolume.length < 60, lineStyle: { color: colour("front"), width: 2 }, itemStyle: { color: colour("front") } }],
  });
  const drawn = chart(figure, option, {
    card: ({ data: point }) => point && [el("h3", {}, `After ${whole(point[0])} trials`), pairs([["hypervolume", sig(point[1])]])],
    csv: () => [["trials_done", "hypervolume"], data.summary.hypervolume],
  });
  figure.say("The share of the box between the objectives' worst and best values that the front dominates.");
  data.onchange(drawn.redraw);
}
