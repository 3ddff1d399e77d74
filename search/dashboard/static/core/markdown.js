// Notes: a small part of Markdown as elements. Whatever it does not know stays text; links go to http(s) and pages here.
import { el } from "./dom.js";

const INLINE = /(`[^`]+`)|(\*\*[^*]+\*\*)|(\*[^*]+\*)|\[([^\]]+)\]\(([^)\s]+)\)|(https?:\/\/[^\s<>"')]+)/g;

export function markdown(text) {
  const box = el("div", { class: "markdown" });
  const lines = text.replaceAll("\r", "").split("\n");
  for (let at = 0; at < lines.length; ) at = block(lines, at, box);
  return box;
}

function block(lines, at, box) {
  const line = lines[at];
  if (!line.trim()) return at + 1;
  if (line.startsWith("```")) return fenced(lines, at, box);
  const heading = /^(#{1,6})\s+(.*)$/.exec(line);
  if (heading) {
    box.append(el(heading[1].length < 3 ? "h3" : "h4", {}, inline(heading[2])));
    return at + 1;
  }
  for (const [mark, tag] of [[/^\s*[-*]\s+/, "ul"], [/^\s*\d+[.)]\s+/, "ol"], [/^>\s?/, "blockquote"]]) {
    if (mark.test(line)) return listed(lines, at, box, mark, tag);
  }
  return paragraph(lines, at, box);
}

function fenced(lines, at, box) {
  const end = lines.findIndex((line, index) => index > at && line.startsWith("```"));
  const last = end < 0 ? lines.length : end;
  box.append(el("pre", {}, el("code", {}, lines.slice(at + 1, last).join("\n"))));
  return last + 1;
}

function listed(lines, at, box, mark, tag) {
  const list = el(tag);
  for (; at < lines.length && mark.test(lines[at]); at += 1) {
    const words = inline(lines[at].replace(mark, ""));
    list.append(tag === "blockquote" ? el("p", {}, words) : el("li", {}, words));
  }
  box.append(list);
  return at;
}

function paragraph(lines, at, box) {
  const from = at;
  while (at < lines.length && lines[at].trim() && (at === from || !/^(```|#|>|\s*[-*]\s|\s*\d+[.)]\s)/.test(lines[at]))) at += 1;
  box.append(el("p", {}, inline(lines.slice(from, at).join(" "))));
  return at;
}

function inline(text) {
  const parts = [];
  let from = 0;
  for (const found of text.matchAll(INLINE)) {
    parts.push(text.slice(from, found.index), piece(found));
    from = found.index + found[0].length;
  }
  parts.push(text.slice(from));
  return parts;
}

function piece([whole, code, strong, emphasis, words, target, bare]) {
  if (code) return el("code", {}, code.slice(1, -1));
  if (strong) return el("strong", {}, strong.slice(2, -2));
  if (emphasis) return el("em", {}, emphasis.slice(1, -1));
  if (bare) return link(bare, bare);
  return /^(https?:\/\/|\/(?!\/))/.test(target) ? link(words, target) : whole;
}

const link = (words, href) => el("a", { href, rel: "noopener noreferrer" }, words);
