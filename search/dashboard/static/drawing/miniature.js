// A trial's architecture small enough for a card: its network where it has one, else its choices as a strip.
import { viridis } from "../core/colours.js";
import { el, svg } from "../core/dom.js";
import { drawNetwork } from "./network.js";

export function miniature(trial, { width = 290, height = 44, device } = {}) {
  if (trial.network?.layers?.length) return drawNetwork(trial.network, { width, height, device, small: true });
  return choiceStrip(trial.decisions, width);
}

// One square a decision, its shade the place of the choice among those there are.
export function choiceStrip(decisions, width) {
  const active = decisions.filter((one) => one.active !== false).slice(0, 60);
  if (!active.length) return el("span", { class: "soft" }, "no decisions");
  const side = Math.min(22, Math.floor(width / active.length));
  return svg("svg", { width: side * active.length, height: side, "aria-hidden": "true" }, active.map((one, index) =>
    svg("rect", { x: index * side, y: 0, width: side - 1, height: side - 1, rx: 2, fill: viridis(share(one)) })));
}

function share(decision) {
  if (decision.choices > 1) return decision.value / (decision.choices - 1);
  return Math.min(1, Math.abs(decision.value) / (1 + Math.abs(decision.value)));
}
