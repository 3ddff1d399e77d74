// What is brushed: an interval for each of some columns. One for the page; kept in the URL; each plot shows it.
import { debounce } from "./dom.js";
import { param, setParams } from "./location.js";

export class Selection {
  constructor(data) {
    this.data = data;
    this.ranges = read(param("brush"));
    this.listeners = new Set();
    this.mask = null;
    this.telling = null;
    this.keep = debounce(() => setParams({ brush: write(this.ranges) }), 100);
  }

  get active() { return this.ranges.size > 0; }
  onchange(work) { this.listeners.add(work); }

  // Sets or clears (null) the intervals of some columns at once.
  set(changes) {
    for (const [name, range] of Object.entries(changes)) {
      if (range) this.ranges.set(name, range);
      else this.ranges.delete(name);
    }
    this.keep();
    return this.tell();
  }

  clear() {
    if (!this.active) return undefined;
    return this.set(Object.fromEntries([...this.ranges.keys()].map((name) => [name, null])));
  }

  // Brings what shows the selection up to date, once a frame however often it changes meanwhile.
  tell() {
    this.telling ??= new Promise((done) => requestAnimationFrame(async () => {
      this.telling = null;
      await this.compute();
      for (const work of this.listeners) work();
      done();
    }));
    return this.telling;
  }

  // Brings `mask` up to date: 1 where a row is within every interval; null where nothing is brushed.
  async compute() {
    if (!this.active) {
      this.mask = null;
      return;
    }
    await this.data.need([...this.ranges.keys()].map((name) => this.columnName(name)));
    const mask = new Uint8Array(this.data.rows).fill(1);
    for (const [name, [low, high]] of this.ranges) {
      const values = this.data.column(this.columnName(name));
      for (let row = 0; row < mask.length; row += 1) if (!(values[row] >= low && values[row] <= high)) mask[row] = 0;
    }
    this.mask = mask;
  }

  columnName(name) { return name; }
  has(row) { return this.mask === null || this.mask[row] === 1; }

  // The same as a filter expression of the table.
  expression() {
    const parts = [];
    for (const [name, [low, high]] of this.ranges) {
      const decision = name.startsWith("d:") ? this.data.decisions.find((one) => `d:${one.name}` === name) : null;
      if (decision?.kind === "choice") {
        const labels = decision.labels.filter((_, index) => index >= low && index <= high);
        parts.push(`${quoted(decision.name)} in [${labels.map((label) => (typeof label === "number" ? label : JSON.stringify(label))).join(", ")}]`);
      } else {
        const word = quoted(decision?.name ?? name);
        parts.push(`${word} >= ${number(low)} and ${word} <= ${number(high)}`);
      }
    }
    return parts.join(" and ");
  }
}

// Intervals come from columns of 32 bits: the bounds are widened by what that loses.
export const widened = ([low, high]) => [low - 1e-6 * Math.abs(low), high + 1e-6 * Math.abs(high)];
const number = (value) => Number(value.toPrecision(9));
const quoted = (name) => (/^[A-Za-z_][\w@.]*$/.test(name) ? name : `\`${name}\``);

function write(ranges) {
  return [...ranges].map(([name, [low, high]]) => `${encodeURIComponent(name)}~${short(low)}~${short(high)}`).join("*");
}

const short = (value) => String(Number(value.toPrecision(6)));

function read(text) {
  const ranges = new Map();
  for (const part of text.split("*")) {
    const [name, low, high] = part.split("~");
    if (name && Number.isFinite(Number(low)) && Number.isFinite(Number(high))) ranges.set(decodeURIComponent(name), [Number(low), Number(high)]);
  }
  return ranges;
}
