// Two or more trials, or studies, side by side.
import { get } from "../core/api.js";
import { command, empty } from "../core/command.js";
import { button, byId, el, fill } from "../core/dom.js";
import { start } from "../core/frame.js";
import { param, setParams } from "../core/location.js";
import { compareStudies } from "../compare/studies.js";
import { compareTrials } from "../compare/trials.js";

start(async () => {
  const trials = param("trials").split(",").filter(Boolean).map(parseTrial).filter(Boolean);
  const studies = param("studies").split(",").filter(Boolean);
  const place = byId("page");
  fill(place);
  if (trials.length) await compareTrials(place, trials);
  else await choose(place, studies);
});

function parseTrial(text) {
  const at = text.lastIndexOf(":");
  const number = Number(text.slice(at + 1));
  return at > 0 && Number.isInteger(number) ? { study: text.slice(0, at), number } : null;
}

// Which studies: a press adds or takes away, the page follows.
async function choose(place, chosen) {
  const { studies } = await get("/studies");
  if (!studies.length) return fill(place, empty("No study is stored here yet. This command makes one:", command("launch nasbench201")));
  const known = studies.map((study) => study.name);
  let names = chosen.filter((name) => known.includes(name));
  const below = el("div", {});
  const show = async () => {
    setParams({ studies: names.join(",") });
    fill(below);
    if (names.length) await compareStudies(below, names);
    else fill(below, empty("Choose studies above, or trials in a study's table."));
  };
  const press = (name) => {
    names = names.includes(name) ? names.filter((one) => one !== name) : [...names, name];
    for (const one of list.children) one.setAttribute("aria-pressed", String(names.includes(one.textContent)));
    return show();
  };
  const list = el("div", { class: "row", role: "group", "aria-label": "Studies to compare" }, studies.filter((study) => !study.archived || names.includes(study.name)).map((study) => button(study.name, () => press(study.name), { "aria-pressed": String(names.includes(study.name)) })));
  fill(place, el("div", { class: "panel" }, list), below);
  return show();
}
