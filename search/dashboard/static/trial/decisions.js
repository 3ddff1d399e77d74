// The decisions as a tree by their names, and what differs from the parent or another trial.
import { get, studyPath, trialPage } from "../core/api.js";
import { el, fill } from "../core/dom.js";
import { param, setParams } from "../core/location.js";
import { decided, exact } from "../core/format.js";

const { study } = document.documentElement.dataset;

export function drawDecisions(place, { trial, summary }) {
  const panel = el("div", { class: "panel", "data-figure": "decisions" });
  place.append(panel);
  const fallback = trial.parent ?? (summary.knee !== trial.number ? summary.knee : null);
  const box = el("input", { type: "number", min: 0, "aria-label": "Compare with trial", value: param("with") || (fallback ?? ""), placeholder: "trial" });
  const tree = el("div", {});
  const words = el("p", { class: "soft small", role: "status" });
  fill(panel, el("div", { class: "row" }, el("h2", {}, "Decisions"), el("label", { class: "end" }, "against trial", box)), words, tree);
  box.addEventListener("change", () => {
    setParams({ with: box.value === String(fallback ?? "") ? "" : box.value });
    draw();
  });
  draw();

  async function draw() {
    const number = box.value === "" ? null : Number(box.value);
    let other = null;
    if (number !== null && number !== trial.number) {
      try {
        other = await get(`${studyPath(study)}/trials/${number}`);
      } catch (error) {
        words.textContent = error.message;
        fill(tree, treeOf(trial.decisions, null));
        return;
      }
    }
    const theirs = other && new Map(other.decisions.map((one) => [one.name, one]));
    const count = theirs ? trial.decisions.filter((one) => differs(one, theirs.get(one.name))).length : 0;
    const kind = number === trial.parent ? "its parent, " : number === summary.knee ? "the knee, " : "";
    fill(words, theirs ? [`${count} of ${trial.decisions.length} differ from ${kind}`, el("a", { href: trialPage(study, number) }, `trial ${number}`), ". The other's choice is struck out."] : `${trial.decisions.length} decisions.`);
    fill(tree, treeOf(trial.decisions, theirs));
  }
}

const shown = (one) => (one?.active === false ? null : one?.label ?? one?.value);
export const differs = (one, other) => shown(one) !== shown(other) && !(shown(one) == null && shown(other) == null);

// "stages[0].kernel" hangs under stages, then #0, and "rates[3.first]" under rates, then #3: names that share a beginning share a branch.
function treeOf(decisions, theirs) {
  const root = new Map();
  for (const decision of decisions) {
    const path = decision.name.replaceAll(/\[([\w.]+)\]/g, ".#$1").split(".").filter(Boolean);
    let branch = root;
    path.slice(0, -1).forEach((part) => {
      const key = `${part}/`;
      if (!branch.has(key)) branch.set(key, new Map());
      branch = branch.get(key);
    });
    branch.set(path.at(-1) ?? decision.name, decision);
  }
  return el("ul", { class: "tree" }, branches(root, theirs, 0));
}

// "attention[=1/2]": what hangs on the second of two choices.
const branchName = (key) => key.slice(0, -1).replace(/\[=(\d+)\/(\d+)\]/, (_, at, of) => `, choice ${Number(at) + 1} of ${of}`);

function branches(branch, theirs, depth) {
  return [...branch].map(([name, inside]) => {
    if (!(inside instanceof Map)) return el("li", {}, leaf(name, inside, theirs?.get(inside.name), theirs !== null));
    return el("li", {}, el("details", { open: true }, el("summary", {}, branchName(name)), el("ul", {}, branches(inside, theirs, depth + 1))));
  });
}

function leaf(name, one, other, compared) {
  const off = one.active === false;
  const changed = compared && differs(one, other);
  return el("div", { class: `leaf${off ? " off" : ""}${changed ? " differs" : ""}`, title: exact(one.value), "data-decision": one.name }, el("span", { class: "wrap" }, name.trim()),
    el("b", {}, changed && other && shown(other) != null && el("s", {}, decided(other)), off ? "not in force" : decided(one)));
}
