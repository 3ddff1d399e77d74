// Text cut to a width, its end (or its start) left out.

export function fitted(pen, text, width, { end = true } = {}) {
  if (pen.measureText(text).width <= width) return text;
  const cut = (keep) => (end ? `${text.slice(0, keep)}…` : `…${text.slice(-keep)}`);
  let keep = text.length;
  while (keep > 1 && pen.measureText(cut(keep)).width > width) keep -= 1;
  return keep > 1 ? cut(keep) : "";
}
