// Numbers, times and names as the reader sees them; the exact value goes into a title.
const WHOLE = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const STEPS = [[1e12, "T"], [1e9, "G"], [1e6, "M"]];

export function sig(value, digits = 4) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  for (const [step, mark] of STEPS) if (size >= step) return `${minus((value / step).toPrecision(digits))} ${mark}`;
  if (Number.isInteger(value) || size >= 10 ** digits) return minus(WHOLE.format(value));
  if (size >= 1000) return minus(WHOLE.format(value));
  if (size > 0 && size < 1e-4) return minus(value.toExponential(Math.max(0, digits - 2)));
  return minus(value.toPrecision(digits));
}

const minus = (text) => text.replace("-", "−");
export const whole = (value) => (value === null || value === undefined ? "–" : WHOLE.format(value));
export const percent = (share, digits = 1) => `${(100 * share).toFixed(digits)} %`;

export function exact(value) {
  return value === null || value === undefined ? "not a number" : String(value);
}

export function duration(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "–";
  if (seconds < 0.01) return `${sig(1000 * seconds, 2)} ms`;
  if (seconds < 1) return `${Math.round(1000 * seconds)} ms`;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172800) return `${(seconds / 3600).toFixed(1)} h`;
  return `${Math.round(seconds / 86400)} days`;
}

export function toDate(time) {
  if (time === null || time === undefined) return null;
  return new Date(typeof time === "number" ? time * 1000 : time);
}

export function ago(time) {
  const date = toDate(time);
  if (!date) return "–";
  const seconds = Math.max(0, (Date.now() - date.getTime()) / 1000);
  return seconds < 5 ? "just now" : `${duration(seconds)} ago`;
}

export function exactTime(time) {
  const date = toDate(time);
  return date ? date.toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" }) : "";
}

// What a trial decided: the choice's label, or an open float's value.
export const decided = ({ choices, label, value }) => (choices ? label : sig(value));

export function unitOf(metric) {
  return metric?.unit && metric.unit !== "1" ? metric.unit : "";
}

export function bareName(name) {
  return name.split("@")[0];
}

// "latency_ms@pixel3" of unit ms -> "latency (ms) · pixel3"
export function metricLabel(metric) {
  return labelled(metric, unitOf(metric));
}

// The same without its unit, where that stands beside the value.
export const metricWords = (metric) => labelled(metric, "");

function labelled({ name, quantity }, shown) {
  const [base, device] = name.split("@");
  const words = quantity?.replace(` on ${device}`, "") ?? base.replaceAll("_", " ");
  return words + (shown ? ` (${shown})` : "") + (device ? ` · ${device}` : "");
}
