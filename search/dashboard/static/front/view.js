// What the front shows: metrics, logarithms, device; from the URL where it says, else what the study is about.
import { spansDecade, extent } from "../canvas/scale.js";
import { bareName } from "../core/format.js";
import { param } from "../core/location.js";
import { kneeOf, paretoFront, parseBound } from "./pareto.js";

// The metrics that can be an axis, the objectives first.
export function axisNames(data) {
  const objectives = data.summary.objectives.map((one) => one.metric);
  return [...new Set([...objectives, ...data.metrics.map((metric) => metric.name)])];
}

export function defaultAxes(data) {
  const objectives = data.summary.objectives.map((one) => one.metric);
  const rest = data.metrics.map((metric) => metric.name).filter((name) => !objectives.includes(name));
  const known = rest.find((name) => data.metric(name).known) ?? rest.find((name) => data.metric(name).direction === "minimize") ?? rest[0];
  return { y: objectives[0] ?? rest[0], x: objectives[1] ?? known ?? objectives[0] };
}

export function readView(data) {
  const names = axisNames(data);
  const fallback = defaultAxes(data);
  const named = (key, other) => (names.includes(param(key)) || recosted(data).includes(param(key)) ? param(key) : other);
  return { x: named("x", fallback.x), y: named("y", fallback.y), z: named("z", ""), log: { x: param("logx"), y: param("logy") }, feasible: param("feasible") !== "no" };
}

// Latencies on devices that the study did not name, for which the server costs the same trials.
export const recosted = (data) => (data.summary.recostable ?? []).map((device) => `latency_ms@${device}`);

const deviceOf = (data, metric) => metric.device || metric.name.split("@")[1] || data.summary.tables?.find((table) => table.metric === metric.name)?.device || "this study's";

// The devices for which the metric on an axis is known: [{device, metric}].
export function devicesOf(data, name) {
  const base = bareName(name);
  const own = data.metrics.filter((metric) => bareName(metric.name) === base && (metric.device || metric.name === base))
    .map((metric) => ({ metric: metric.name, device: deviceOf(data, metric) }));
  if (base !== "latency_ms") return own;
  return [...own, ...recosted(data).filter((metric) => !own.some((one) => one.device === metric.split("@")[1])).map((metric) => ({ metric, device: metric.split("@")[1] }))];
}

// The view with everything that follows from the data; its columns must be there.
export function settle(data, view) {
  const axes = [view.x, view.y, ...(view.z ? [view.z] : [])].map((name) => ({ values: data.column(name), direction: data.direction(name) }));
  const wantsLog = (key, name) => {
    const range = extent(data.column(name));
    if (range[0] <= 0) return false;
    return view.log[key] ? view.log[key] === "yes" : data.direction(name) === "minimize" && spansDecade(range);
  };
  return { ...view, logX: wantsLog("x", view.x), logY: wantsLog("y", view.y), ...frontOf(data, view, axes), bounds: (data.summary.constraints ?? []).map(parseBound).filter(Boolean) };
}

// The stored front and its knee where the axes are the study's objectives; else the same of what is shown.
function frontOf(data, view, axes) {
  const shown = [view.x, view.y, view.z].filter(Boolean).sort().join();
  const own = data.summary.objectives.map((one) => one.metric).sort().join();
  if (shown !== own) {
    const front = paretoFront(data.column("state"), axes);
    return { front, knee: kneeOf(front, axes) };
  }
  const sign = axes[0].direction === "maximize" ? -1 : 1;
  const front = data.summary.front.filter((row) => row < data.rows).sort((a, b) => sign * (axes[0].values[a] - axes[0].values[b]));
  return { front, knee: data.summary.knee };
}
