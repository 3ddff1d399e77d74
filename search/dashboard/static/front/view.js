// What the front shows: metrics, logarithms, device; from the URL where it says, else what the study is about.
import { spansDecade, extent } from "../canvas/scale.js";
import { bareName } from "../core/format.js";
import { param } from "../core/location.js";
import { paretoFront, parseBound } from "./pareto.js";

// The metrics that can be an axis, the objectives first.
export function axisNames(data) {
  const objectives = data.summary.objectives.map((one) => one.metric);
  return [...new Set([...objectives, ...data.metrics.map((metric) => metric.name)])];
}

export function defaultAxes(data) {
  const objectives = data.summary.objectives.map((one) => one.metric);
  const rest = data.metrics.map((metric) => metric.name).filter((name) => !objectives.includes(name));
  const known = rest.find((name) => data.metric(name).known) ?? rest[0];
  return { y: objectives[0] ?? rest[0], x: objectives[1] ?? known ?? objectives[0] };
}

export function readView(data) {
  const names = axisNames(data);
  const fallback = defaultAxes(data);
  const named = (key, other) => (names.includes(param(key)) ? param(key) : other);
  return { x: named("x", fallback.x), y: named("y", fallback.y), z: named("z", ""), log: { x: param("logx"), y: param("logy") }, feasible: param("feasible") !== "no" };
}

// The devices for which the metric on an axis is known: [{device, metric}].
export function devicesOf(data, name) {
  const base = bareName(name);
  return data.metrics.filter((metric) => bareName(metric.name) === base && (metric.device || metric.name === base))
    .map((metric) => ({ metric: metric.name, device: metric.device || metric.name.split("@")[1] || "this study's" }));
}

// The view with everything that follows from the data; its columns must be there.
export function settle(data, view) {
  const axes = [view.x, view.y, ...(view.z ? [view.z] : [])].map((name) => ({ values: data.column(name), direction: data.direction(name) }));
  const wantsLog = (key, name) => {
    const range = extent(data.column(name));
    if (range[0] <= 0) return false;
    return view.log[key] ? view.log[key] === "yes" : data.direction(name) === "minimize" && spansDecade(range);
  };
  const front = paretoFront(data.column("state"), axes);
  return { ...view, logX: wantsLog("x", view.x), logY: wantsLog("y", view.y), front, knee: data.summary.knee, bounds: (data.summary.constraints ?? []).map(parseBound).filter(Boolean) };
}
