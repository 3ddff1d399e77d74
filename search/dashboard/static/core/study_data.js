// A study's summary and its columns, each fetched when first needed; row i is trial i. News replace changed rows only.
import { get, getBlocks, studyPath } from "./api.js";
import { follow } from "./live.js";

const ARRAYS = { int8: Int8Array, uint8: Uint8Array, int16: Int16Array, uint16: Uint16Array, int32: Int32Array, float32: Float32Array, float64: Float64Array };
export const STATES = ["PENDING", "RUNNING", "COMPLETED", "INFEASIBLE", "STOPPED", "FAILED"];

// Which way a metric that is no objective is better, where its name says so.
const GAIN = /(^|_)(accuracy|precision|recall|f1|auc|map|iou)(_|@|$)/;
const LOSS = /(^|_)(loss|error|perplexity)(_|@|$)/;
export const usualAim = (name) => (GAIN.test(name) ? "maximize" : LOSS.test(name) ? "minimize" : "");

export class StudyData {
  constructor(name) {
    this.name = name;
    this.columns = new Map();
    this.coming = new Map();
    this.seq = Infinity;
    this.labels = {};
    this.rows = 0;
    this.listeners = new Set();
    this.trials = new Map();
    this.answers = new Map();
  }

  async open() {
    this.summary = await get(studyPath(this.name));
    this.seq = Math.min(this.seq, this.summary.change_seq);
    return this;
  }

  get metrics() { return this.summary.metrics; }
  get decisions() { return this.summary.decisions; }
  metric(name) { return metricOf(this.summary, name); }
  direction(name) { return this.aim(name) || "minimize"; }
  aim(name) { return this.summary.objectives.find((one) => one.metric === name)?.direction ?? this.metric(name).direction ?? usualAim(name); }
  column(name) { return this.columns.get(name); }

  // Fetches the columns that are neither there yet nor on their way.
  async need(names) {
    const wanted = [...new Set(["state", ...names])].filter((name) => !this.columns.has(name));
    const missing = wanted.filter((name) => !this.coming.has(name));
    if (missing.length) {
      const asked = this.read(missing).then((found) => this.take(found, false)).finally(() => missing.forEach((name) => this.coming.delete(name)));
      missing.forEach((name) => this.coming.set(name, asked));
    }
    await Promise.all(wanted.map((name) => this.coming.get(name)));
    return this;
  }

  async read(names, since) {
    const query = `names=${names.map(encodeURIComponent).join(",")}${since === undefined ? "" : `&since=${since}`}`;
    return parse(await getBlocks(`${studyPath(this.name)}/columns?${query}`));
  }

  take({ header, columns }, partial) {
    if (!partial) this.seq = Math.min(this.seq, header.change_seq);
    Object.assign(this.labels, header.labels ?? {});
    const numbers = columns.number;
    const rows = Math.max(this.rows, partial ? maximum(numbers) + 1 : header.rows);
    for (const [name, values] of Object.entries(columns)) {
      if (partial && (name === "number" || !this.columns.has(name))) continue;
      this.columns.set(name, partial ? merged(this.columns.get(name), numbers, values, rows) : values);
    }
    this.rows = rows;
    for (const [name, values] of this.columns) if (values.length < rows) this.columns.set(name, grown(values, rows));
  }

  // Calls `work(numbers)` after each change, the columns and the summary being up to date.
  onchange(work) {
    this.listeners.add(work);
    return () => this.listeners.delete(work);
  }

  followChanges() {
    let busy = false;
    let again = null;
    const update = async (body) => {
      if (busy) {
        again = body;
        return;
      }
      busy = true;
      try {
        await this.refresh(body);
      } catch (error) {
        console.warn("the page could not be brought up to date:", error.message);
      }
      busy = false;
      if (again) {
        const next = again;
        again = null;
        update(next);
      }
    };
    follow(this.name, this.seq, update);
  }

  async refresh(body) {
    const names = [...this.columns.keys()].filter((name) => name !== "number");
    const since = this.seq;
    const [summary, changed] = await Promise.all([get(studyPath(this.name)), this.read(["number", ...names], since)]);
    this.summary = summary;
    this.seq = Math.max(body.change_seq, changed.header.change_seq ?? 0);
    this.take(changed, true);
    for (const number of changed.columns.number) this.trials.delete(number);
    this.answers.clear();
    for (const work of this.listeners) work([...changed.columns.number]);
  }

  // One trial in full, kept until it changes.
  trial(number) {
    if (!this.trials.has(number)) {
      if (this.trials.size > 300) this.trials.clear();
      const asked = get(`${studyPath(this.name)}/trials/${number}`);
      asked.catch(() => this.trials.delete(number));
      this.trials.set(number, asked);
    }
    return this.trials.get(number);
  }

  // An analysis by its path under the study, kept until the study changes.
  answer(path) {
    if (!this.answers.has(path)) {
      const asked = get(studyPath(this.name) + path);
      asked.catch(() => this.answers.delete(path));
      this.answers.set(path, asked);
    }
    return this.answers.get(path);
  }
}

// The JSON header line, then each column's block, one after the other.
function parse(buffer) {
  const bytes = new Uint8Array(buffer);
  const end = bytes.indexOf(10);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(0, end)));
  const columns = {};
  let at = end + 1;
  header.names.forEach((name, index) => {
    const Type = ARRAYS[header.dtypes[index]];
    const size = header.rows * Type.BYTES_PER_ELEMENT;
    columns[name] = new Type(buffer.slice(at, at + size));
    at += size;
  });
  return { header, columns };
}

function merged(old, numbers, values, rows) {
  const all = grown(old, rows);
  for (let index = 0; index < numbers.length; index += 1) all[numbers[index]] = values[index];
  return all;
}

function grown(values, rows) {
  if (values.length >= rows) return values.slice();
  const all = new values.constructor(rows);
  if (values instanceof Float32Array || values instanceof Float64Array) all.fill(NaN);
  all.set(values);
  return all;
}

function maximum(values) {
  let most = -1;
  for (const value of values) if (value > most) most = value;
  return most;
}

// What is known of a metric; a latency that the study did not name, costed on a further device, is as its like.
export function metricOf({ metrics }, name) {
  const found = metrics.find((metric) => metric.name === name);
  if (found) return found;
  const like = metrics.find((metric) => metric.name.split("@")[0] === name.split("@")[0]);
  const { quantity, unit, direction } = like ?? (name.startsWith("latency_ms") ? { quantity: "latency", unit: "ms" } : {});
  return { name, quantity: quantity?.replace(/ on .*/, ""), unit: unit ?? "", direction: direction ?? "minimize", device: name.split("@")[1] ?? "" };
}
