// Scales and their ticks: linear, or logarithmic with ticks at 1, 2 and 5.

export function extent(values, keep = () => true) {
  let low = Infinity;
  let high = -Infinity;
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index];
    if (!Number.isFinite(value) || !keep(index)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? [low, high] : [0, 1];
}

// The range of nearly all values and of those of the rows in `must`, given which way is better: a few that are far worse
// than the rest do not squeeze it.
export function mostOf(values, keep, must, direction) {
  const [low, high] = extent(values, keep);
  const kept = [];
  const step = Math.max(1, Math.floor(values.length / 4000));
  for (let row = 0; row < values.length; row += step) if (Number.isFinite(values[row]) && keep(row)) kept.push(values[row]);
  kept.sort((a, b) => a - b);
  if (kept.length < 40) return [low, high];
  const ends = [kept[Math.floor(0.05 * kept.length)], kept[Math.ceil(0.95 * kept.length) - 1]];
  for (const row of must) {
    ends[0] = Math.min(ends[0], values[row]);
    ends[1] = Math.max(ends[1], values[row]);
  }
  const room = 0.4 * (ends[1] - ends[0]);
  return direction === "maximize" ? [Math.max(low, ends[0] - room), high] : [low, Math.min(high, ends[1] + room)];
}

export const spansDecade = ([low, high]) => low > 0 && high / low >= 10;

// Maps [low, high], widened by `margin` of its length, to [from, to] pixels.
export function makeScale([low, high], [from, to], { log = false, margin = 0.04 } = {}) {
  const forth = log ? Math.log10 : (value) => value;
  const back = log ? (value) => 10 ** value : (value) => value;
  const pad = (forth(high) - forth(low)) * margin || Math.abs(forth(low)) * 0.05 || 0.5;
  const a = forth(low) - pad;
  const b = forth(high) + pad;
  const slope = (to - from) / (b - a);
  return {
    log,
    low: back(a),
    high: back(b),
    at: (value) => from + (forth(value) - a) * slope,
    from: (pixel) => back(a + (pixel - from) / slope),
    ticks: (count) => (log ? logTicks(back(a), back(b), count) : linearTicks(a, b, count)),
  };
}

export function linearTicks(low, high, count) {
  const rough = (high - low) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((times) => times * power).find((one) => one >= rough * 0.999);
  const ticks = [];
  for (let index = Math.ceil(low / step - 1e-9); index * step <= high + step * 1e-9; index += 1) ticks.push(Number((index * step).toPrecision(12)));
  return ticks;
}

export function logTicks(low, high, count) {
  const decades = Math.log10(high / low);
  if (decades < 0.7) return linearTicks(low, high, count).filter((tick) => tick > 0);
  const steps = decades > count ? [1] : decades > count / 2 ? [1, 3] : decades > count / 4 ? [1, 2, 5] : [1, 1.5, 2, 3, 5, 7];
  const ticks = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1) {
    for (const step of steps) {
      const tick = Number((step * 10 ** power).toPrecision(6));
      if (tick >= low && tick <= high) ticks.push(tick);
    }
  }
  return ticks;
}

export function tickText(tick, ticks) {
  const size = Math.max(...ticks.map(Math.abs));
  for (const [step, mark] of [[1e9, "G"], [1e6, "M"], [1e4, "k"]]) {
    if (size >= step) return `${trim(tick / (mark === "k" ? 1e3 : step))}${tick ? ` ${mark}` : ""}`;
  }
  if (size > 0 && size < 1e-3) return tick === 0 ? "0" : tick.toExponential(1).replace("-", "−");
  return trim(tick).replace("-", "−");
}

const trim = (value) => String(Number(value.toPrecision(6)));
