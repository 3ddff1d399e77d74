// What is brushed, as chips that can be taken away, and how many trials it leaves.
import { button, el, fill } from "../core/dom.js";
import { metricLabel, sig, whole } from "../core/format.js";

export function drawChips(place, { data, selection }) {
  const draw = () => {
    if (!selection.active) {
      fill(place);
      return;
    }
    let count = 0;
    for (const chosen of selection.mask ?? []) count += chosen;
    fill(place, [...selection.ranges].map(([name, range]) => chip(data, selection, name, range)), el("span", { class: "soft small", "data-brushed": count }, `${whole(count)} of ${whole(data.rows)} trials`),
      button("Clear", () => selection.clear(), { class: "quiet" }));
  };
  selection.onchange(draw);
  data.onchange(draw);
  draw();
}

function chip(data, selection, name, [low, high]) {
  const decision = data.decisions.find((one) => `d:${one.name}` === name);
  const words = decision?.kind === "choice"
    ? `${decision.name}: ${decision.labels.filter((_, at) => at >= low && at <= high).join(", ")}`
    : `${decision?.name ?? metricLabel(data.metric(name))}: ${sig(low, 3)} to ${sig(high, 3)}`;
  return el("span", { class: "chip" }, words, button("×", () => selection.set({ [name]: null }), { "aria-label": `Take away ${words}` }));
}
