// The part of a canvas' drawing context that our plots use, writing SVG instead: the same code draws on screen and in files.

export class SvgPen {
  constructor(width, height) {
    this.size = [width, height];
    this.parts = [];
    this.fillStyle = "#000";
    this.strokeStyle = "#000";
    this.lineWidth = 1;
    this.globalAlpha = 1;
    this.font = "12px sans-serif";
    this.textAlign = "left";
    this.textBaseline = "alphabetic";
    this.dash = [];
    this.stack = [];
    this.path = "";
    this.turn = null;
  }

  beginPath() { this.path = ""; }
  moveTo(x, y) { this.path += `M${f(x)} ${f(y)}`; }
  lineTo(x, y) { this.path += `L${f(x)} ${f(y)}`; }
  closePath() { this.path += "Z"; }
  rect(x, y, w, h) { this.path += `M${f(x)} ${f(y)}h${f(w)}v${f(h)}h${f(-w)}Z`; }
  arc(x, y, r) { this.path += `M${f(x - r)} ${f(y)}a${f(r)} ${f(r)} 0 1 0 ${f(2 * r)} 0a${f(r)} ${f(r)} 0 1 0 ${f(-2 * r)} 0`; }
  setLineDash(dash) { this.dash = dash; }
  clearRect() {}
  fill() { this.put(`<path d="${this.path}" fill="${this.fillStyle}"${this.fade()}/>`); }
  stroke() { this.put(`<path d="${this.path}" fill="none" ${this.pen()}/>`); }
  fillRect(x, y, w, h) { this.put(`<rect x="${f(x)}" y="${f(y)}" width="${f(w)}" height="${f(h)}" fill="${this.fillStyle}"${this.fade()}/>`); }
  strokeRect(x, y, w, h) { this.put(`<rect x="${f(x)}" y="${f(y)}" width="${f(w)}" height="${f(h)}" fill="none" ${this.pen()}/>`); }
  measureText(text) { return { width: 6.2 * text.length }; }
  save() { this.stack.push({ ...this, parts: null, stack: null }); }
  restore() { Object.assign(this, { ...this.stack.pop(), parts: this.parts, stack: this.stack }); }
  translate(x, y) { this.turn = [x, y, 0]; }
  rotate(angle) { this.turn[2] = (180 * angle) / Math.PI; }

  fillText(text, x, y) {
    const anchor = { left: "start", center: "middle", right: "end" }[this.textAlign];
    const shift = { middle: 0.35, top: 0.8, bottom: -0.2, alphabetic: 0 }[this.textBaseline] ?? 0;
    const [, weight, size] = /^(?:(\d+) )?([\d.]+)px/.exec(this.font) ?? [null, "", "12"];
    const turn = this.turn ? ` transform="translate(${f(this.turn[0])} ${f(this.turn[1])}) rotate(${f(this.turn[2])})"` : "";
    this.put(`<text x="${f(x)}" y="${f(y + shift * Number(size))}" text-anchor="${anchor}" font-size="${size}"${weight ? ` font-weight="${weight}"` : ""} fill="${this.fillStyle}"${turn}>${escaped(text)}</text>`);
  }

  pen() {
    const dash = this.dash.length ? ` stroke-dasharray="${this.dash.join(" ")}"` : "";
    return `stroke="${this.strokeStyle}" stroke-width="${this.lineWidth}"${dash}${this.fade()}`;
  }

  fade() { return this.globalAlpha < 1 ? ` opacity="${f(this.globalAlpha)}"` : ""; }
  put(part) { this.parts.push(part); }

  text(paper) {
    const [width, height] = this.size;
    return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif"><rect width="100%" height="100%" fill="${paper}"/>${this.parts.join("")}</svg>`;
  }
}

const f = (value) => Number(value.toFixed(2));
const escaped = (text) => String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
