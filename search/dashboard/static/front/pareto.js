// Which trials no other trial beats in the chosen metrics.
import { extent } from "../canvas/scale.js";
import { metricWords, sig } from "../core/format.js";
import { STATES } from "../core/study_data.js";

const COMPLETED = STATES.indexOf("COMPLETED");

// `axes`: [{values, direction}]. Returns the numbers of the completed, non-dominated rows, the best of the first axis
// first. Rows with an unknown value take no part; of equal rows all stay.
export function paretoFront(states, axes) {
  const signs = axes.map(({ direction }) => (direction === "maximize" ? -1 : 1));
  const loss = (row, axis) => signs[axis] * axes[axis].values[row];
  const rows = [];
  for (let row = 0; row < states.length; row += 1) {
    if (states[row] === COMPLETED && axes.every(({ values }) => Number.isFinite(values[row]))) rows.push(row);
  }
  rows.sort((a, b) => {
    for (let axis = 0; axis < axes.length; axis += 1) {
      const difference = loss(a, axis) - loss(b, axis);
      if (difference) return difference;
    }
    return a - b;
  });
  return axes.length === 2 ? sweep(rows, loss) : filtered(rows, loss, axes.length);
}

function sweep(rows, loss) {
  const front = [];
  for (const row of rows) {
    const last = front.at(-1);
    const equal = last !== undefined && loss(row, 0) === loss(last, 0) && loss(row, 1) === loss(last, 1);
    if (last === undefined || loss(row, 1) < loss(last, 1) || equal) front.push(row);
  }
  return front;
}

// Rows come sorted: whatever beats a row stands before it.
function filtered(rows, loss, axes) {
  const front = [];
  const beats = (a, b) => {
    let better = false;
    for (let axis = 0; axis < axes; axis += 1) {
      if (loss(a, axis) > loss(b, axis)) return false;
      better ||= loss(a, axis) < loss(b, axis);
    }
    return better;
  };
  for (const row of rows) if (!front.some((other) => beats(other, row))) front.push(row);
  return front;
}

// The front's row whose values, scaled to the front's range, have the largest sum; the first of equal ones. As the
// server has it in `search/pareto.py`.
export function kneeOf(front, axes) {
  const ends = axes.map(({ values }) => extent(front.map((row) => values[row])));
  const scaled = (row) => axes.reduce((sum, { values, direction }, axis) => {
    const [low, high] = ends[axis];
    return sum + (high > low ? (direction === "maximize" ? values[row] - low : high - values[row]) / (high - low) : 0);
  }, 0);
  return front.toSorted((a, b) => scaled(b) - scaled(a) || a - b)[0] ?? null;
}

// "latency_ms <= 3" -> {metric, sign, bound}; null for what is not a bound on one metric.
export function parseBound(text) {
  const found = /^\s*([\w@.:+-]+)\s*(<=|>=|<|>)\s*([-+\d.eE]+)\s*$/.exec(text);
  return found && Number.isFinite(Number(found[3])) ? { metric: found[1], sign: found[2].replace("<=", "≤").replace(">=", "≥"), bound: Number(found[3]) } : null;
}

// A bound as the reader sees it: "latency ≤ 3 ms".
export function boundWords(data, { metric, sign, bound }) {
  const known = data.metric(metric);
  return `${metricWords(known)} ${sign} ${sig(bound, 3)} ${known.unit}`.trim();
}
