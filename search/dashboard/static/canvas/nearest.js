// The point nearest to the pointer among many: a grid of cells, so that an answer does not depend on how many there are.
const CELL = 24;

export class Nearest {
  constructor(xs, ys, rows, width, height) {
    this.xs = xs;
    this.ys = ys;
    this.across = Math.ceil(width / CELL) + 2;
    this.down = Math.ceil(height / CELL) + 2;
    // Rows sorted by cell: those of a cell are from `starts[cell]` to `starts[cell + 1]`.
    this.starts = new Int32Array(this.across * this.down + 1);
    for (const row of rows) this.starts[this.cell(xs[row], ys[row]) + 1] += 1;
    for (let cell = 1; cell < this.starts.length; cell += 1) this.starts[cell] += this.starts[cell - 1];
    const next = this.starts.slice();
    this.rows = new Int32Array(rows.length);
    for (const row of rows) this.rows[next[this.cell(xs[row], ys[row])]++] = row;
  }

  cell(x, y) {
    const column = Math.min(this.across - 1, Math.max(0, Math.floor(x / CELL) + 1));
    const line = Math.min(this.down - 1, Math.max(0, Math.floor(y / CELL) + 1));
    return line * this.across + column;
  }

  // The row within `reach` pixels of (x, y) that is nearest, `prefer` counting as nearer; -1 where there is none.
  find(x, y, reach = 14, prefer = () => 0) {
    let best = -1;
    let least = reach;
    for (let line = -1; line <= 1; line += 1) {
      const first = this.starts[this.cell(x - CELL, y + line * CELL)];
      const end = this.starts[this.cell(x + CELL, y + line * CELL) + 1];
      for (let at = first; at < end; at += 1) {
        const row = this.rows[at];
        const distance = Math.hypot(this.xs[row] - x, this.ys[row] - y) - prefer(row);
        if (distance < least) {
          least = distance;
          best = row;
        }
      }
    }
    return best;
  }
}
