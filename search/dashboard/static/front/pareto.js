// Which trials no other trial beats in the chosen metrics.
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

// "latency_ms <= 3" -> {metric, sign, bound}; null for what is not a bound on one metric.
export function parseBound(text) {
  const found = /^\s*([\w@.:+-]+)\s*(<=|>=|<|>)\s*([-+\d.eE]+)\s*$/.exec(text);
  return found && Number.isFinite(Number(found[3])) ? { metric: found[1], sign: found[2].replace("<=", "≤").replace(">=", "≥"), bound: Number(found[3]) } : null;
}
