// A picture of many lines that is drawn a part a frame, so that the page answers meanwhile.
const PART = 400;

export class Gradual {
  constructor(width, height) {
    const ratio = devicePixelRatio || 1;
    [this.width, this.height] = [width, height];
    this.canvas = new OffscreenCanvas(Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio)));
    this.pen = this.canvas.getContext("2d");
    this.pen.scale(ratio, ratio);
    this.done = true;
  }

  // Begins anew with these items, which `draw(pen, item)` draws in order.
  begin(items, draw) {
    this.pen.clearRect(0, 0, this.width, this.height);
    Object.assign(this, { items, draw, part: 0, parts: Math.ceil(items.length / PART) });
    this.step();
  }

  // Draws a further part: every n-th item, so that each part looks like the whole.
  step() {
    for (let at = this.part; at < this.items.length; at += this.parts) this.draw(this.pen, this.items[at]);
    this.part += 1;
    this.done = this.part >= this.parts;
  }

  onto(pen) {
    pen.drawImage(this.canvas, 0, 0, this.width, this.height);
  }
}
