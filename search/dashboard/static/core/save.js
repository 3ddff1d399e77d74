// Files for the reader: CSV, SVG, PNG.
import { el } from "./dom.js";

export function saveBlob(blob, name) {
  const href = URL.createObjectURL(blob);
  el("a", { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 10000);
}

export const saveText = (text, name, type) => saveBlob(new Blob([text], { type: `${type};charset=utf-8` }), name);

// A cell that a spreadsheet would run as a formula is written as text.
function cell(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "";
  let text = String(value);
  if (typeof value === "string" && /^[=+\-@\t\r]/.test(text)) text = `'${text}`;
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function saveCsv(header, rows, name) {
  saveText([header, ...rows].map((row) => row.map(cell).join(",")).join("\n") + "\n", name, "text/csv");
}

export const saveSvg = (text, name) => saveText(text, name, "image/svg+xml");

export function savePng(svgText, width, height, name) {
  const picture = new Image();
  const href = URL.createObjectURL(new Blob([svgText], { type: "image/svg+xml" }));
  picture.onload = () => {
    const canvas = el("canvas", { width: 2 * width, height: 2 * height });
    canvas.getContext("2d").drawImage(picture, 0, 0, 2 * width, 2 * height);
    URL.revokeObjectURL(href);
    canvas.toBlob((blob) => saveBlob(blob, name));
  };
  picture.src = href;
}
