// The point nearest to the pointer among many: a grid of cells, so that an answer does not depend on how many there are.
const CELL = 24;

export class Nearest {
  constructor(xs, ys, rows, width, height) {
    this.xs = xs;
    this.ys = ys;
    this.across = Math.max(1, Math.ceil(width / CELL));
    this.down = Math.max(1, Math.ceil(height / CELL));
    this.cells = new Map();
    for (const row of rows) {
      const key = this.key(xs[row], ys[row]);
      const cell = this.cells.get(key);
      if (cell) cell.push(row);
      else this.cells.set(key, [row]);
    }
  }

  key(x, y) {
    return Math.floor(y / CELL) * (this.across + 1) + Math.floor(x / CELL);
  }

  // The row within `reach` pixels of (x, y) that is nearest, `prefer` counting as nearer; -1 where there is none.
  find(x, y, reach = 14, prefer = () => 0) {
    let best = -1;
    let least = reach;
    for (let dy = -1; dy <= 1; dy += 1) {
      for (let dx = -1; dx <= 1; dx += 1) {
        for (const row of this.cells.get(this.key(x + dx * CELL, y + dy * CELL)) ?? []) {
          const distance = Math.hypot(this.xs[row] - x, this.ys[row] - y) - prefer(row);
          if (distance < least) {
            least = distance;
            best = row;
          }
        }
      }
    }
    return best;
  }
}
