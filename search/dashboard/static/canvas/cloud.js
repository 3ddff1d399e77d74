// Very many points, written into a picture pixel by pixel: a tenth of the time that drawing them one by one takes.

export class Cloud {
  // Points of `rows` at (px, py), each a square of two CSS pixels; what lies outside of the picture is left out.
  constructor(px, py, rows, width, height) {
    this.width = width;
    this.height = height;
    this.ratio = devicePixelRatio || 1;
    this.side = Math.max(1, Math.round(2 * this.ratio));
    this.canvas = new OffscreenCanvas(Math.max(1, Math.round(width * this.ratio)), Math.max(1, Math.round(height * this.ratio)));
    this.pen = this.canvas.getContext("2d");
    this.image = this.pen.createImageData(this.canvas.width, this.canvas.height);
    this.pixels = new Uint32Array(this.image.data.buffer);
    this.rows = Int32Array.from(rows);
    this.at = new Int32Array(rows.length);
    const place = (value, most) => Math.min(most - this.side, Math.max(0, Math.round((value - 1) * this.ratio)));
    for (let index = 0; index < rows.length; index += 1) {
      const row = rows[index];
      this.at[index] = place(py[row], this.canvas.height) * this.canvas.width + place(px[row], this.canvas.width);
    }
  }

  // Lays the points down: all of them alike, or where `mask` is 1 above the others and in `chosen`.
  // Inks are [colour, opacity].
  draw(pen, mask, ink, chosen) {
    this.pixels.fill(0);
    const [below, above] = [this.word(...ink), this.word(...chosen)];
    for (let index = 0; index < this.at.length; index += 1) if (mask === null || !mask[this.rows[index]]) this.square(this.at[index], below);
    if (mask !== null) for (let index = 0; index < this.at.length; index += 1) if (mask[this.rows[index]]) this.square(this.at[index], above);
    this.pen.putImageData(this.image, 0, 0);
    pen.drawImage(this.canvas, 0, 0, this.width, this.height);
  }

  square(at, word) {
    for (let line = 0; line < this.side; line += 1) {
      const first = at + line * this.image.width;
      for (let column = 0; column < this.side; column += 1) this.pixels[first + column] = word;
    }
  }

  // A CSS colour as the four bytes of a pixel.
  word(colour, opacity) {
    this.pen.fillStyle = colour;
    const [red, green, blue] = [1, 3, 5].map((at) => parseInt(this.pen.fillStyle.slice(at, at + 2), 16));
    return ((Math.round(255 * opacity) << 24) | (blue << 16) | (green << 8) | red) >>> 0;
  }
}
