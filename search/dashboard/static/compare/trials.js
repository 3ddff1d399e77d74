// Trials side by side: metrics, networks one below the other with their differences ringed, decisions.
import { get, studyPath, trialPage } from "../core/api.js";
import { category } from "../core/colours.js";
import { el, fill, select } from "../core/dom.js";
import { addTools, figure, toggle } from "../core/figure.js";
import { decided, exact, metricLabel, sig } from "../core/format.js";
import { hideCard, showCard } from "../core/hover.js";
import { param, setParams } from "../core/location.js";
import { commonLanes, drawNetwork, largestShare } from "../drawing/network.js";
import { miniature } from "../drawing/miniature.js";
import { metricOf } from "../core/study_data.js";
import { stateMark } from "../study/words.js";
import { card, costsOf, networkLegend } from "../trial/network.js";

export async function compareTrials(place, asked) {
  const found = await Promise.all(asked.slice(0, 8).map(async ({ study, number }) => {
    const [summary, trial] = await Promise.all([get(studyPath(study)), get(`${studyPath(study)}/trials/${number}`)]);
    return { study, summary, trial };
  }));
  const { box, draw } = networks(found);
  fill(place, metricsTable(found), box, decisionsTable(found));
  draw();
}

const merged = (found) => ({ metrics: found.flatMap(({ summary }) => summary.metrics) });
const several = (found) => new Set(found.map((one) => one.study)).size > 1;

function heading(found, { study, trial }, index) {
  const dot = el("span", { class: "dot" });
  dot.style.setProperty("--at", category(index));
  return el("span", {}, dot, " ", el("a", { href: trialPage(study, trial.number) }, several(found) ? `${study} ${trial.number}` : `trial ${trial.number}`));
}

const headRow = (found, first) => el("tr", {}, el("th", { scope: "col" }, first), found.map((one, index) => el("th", { scope: "col", class: "num" }, heading(found, one, index))));

function metricsTable(found) {
  const names = [...new Set(found.flatMap(({ trial }) => Object.keys(trial.metrics ?? {})))];
  const metric = (name) => metricOf(merged(found), name);
  const directionOf = (name) => found.flatMap(({ summary }) => summary.objectives).find((one) => one.metric === name)?.direction ?? metric(name).direction;
  const rows = names.map((name) => {
    const values = found.map(({ trial }) => trial.metrics?.[name]);
    const known = values.filter(Number.isFinite);
    const best = directionOf(name) === "maximize" ? Math.max(...known) : directionOf(name) === "minimize" ? Math.min(...known) : null;
    return el("tr", {}, el("td", {}, metricLabel(metric(name))), values.map((value) => el("td", { class: "num", title: exact(value) }, value === best && known.length > 1 ? el("b", { class: "best" }, sig(value)) : sig(value))));
  });
  const states = el("tr", {}, el("td", {}, "state"), found.map(({ trial }) => el("td", { class: "num" }, stateMark(trial.state))));
  return el("div", { class: "panel", "data-figure": "metrics" }, el("h2", {}, "Metrics"), el("div", { class: "scroll-x", tabindex: "0", role: "region", "aria-label": "Metrics" }, el("table", { class: "table" }, el("thead", {}, headRow(found, "metric")), el("tbody", {}, states, rows))), el("p", { class: "soft small" }, "Bold: the best of these."));
}

function networks(found) {
  const box = figure("Networks", { id: "networks" });
  box.plot.classList.add("stack");
  const known = [...new Set(found.flatMap(({ trial, summary }) => costsOf(trial, summary)))];
  const metric = (name) => metricOf(merged(found), name);
  if (known.length > 1) addTools(box, el("label", {}, "latency on", select(known.map((name) => ({ value: name, words: metricLabel(metric(name)) })), known.includes(param("device")) ? param("device") : known[0], (name) => {
    setParams({ device: name === known[0] ? "" : name });
    draw();
  }, "Device")));
  new ResizeObserver(draw).observe(box.box);
  return { box: box.box, draw };

  function draw() {
    const device = known.includes(param("device")) ? param("device") : known[0];
    const width = box.plot.clientWidth || 900;
    const drawn = found.map(({ trial }) => trial.network).filter((network) => network?.layers?.length);
    const lanes = drawn.length > 1 ? commonLanes(drawn, width, device) : undefined;
    const first = found[0].trial.network?.layers ?? [];
    const most = Math.max(...drawn.map((network) => largestShare(network, device)), 0);
    box.say(drawn.length > 0 && networkLegend(device, metric, most), "Layers that differ from the first network's are ringed.");
    fill(box.plot, found.map((one, index) => el("div", { class: "lane" }, el("h3", {}, heading(found, one, index)), el("div", { class: "scroll-x", tabindex: "0", role: "region", "aria-label": `Network of trial ${one.trial.number}` },
      one.trial.network?.layers?.length ? drawNetwork(one.trial.network, { width, height: 180, device, lanes, most, differs: index ? changedLayers(first, one.trial.network.layers) : new Set(), onhover: (spot, event) => (spot ? showCard(event.clientX, event.clientY, card(spot, device, metric)) : hideCard()) })
        : miniature(one.trial, { width: Math.min(900, width) })))));
  }
}

// Indices of the layers that are not in the first network at the same place of the same stage.
function changedLayers(first, layers) {
  const byStage = (all) => {
    const seen = new Map();
    return all.map((layer, index) => {
      const place = seen.get(layer.stage) ?? 0;
      seen.set(layer.stage, place + 1);
      return [`${layer.stage}/${place}`, layer, index];
    });
  };
  const theirs = new Map(byStage(first).map(([key, layer]) => [key, layer]));
  const alike = (a, b) => b && a.label === b.label && a.kernel === b.kernel && a.expansion === b.expansion && a.skipped === b.skipped && a.repeats === b.repeats && String(a.out) === String(b.out);
  return new Set(byStage(layers).filter(([key, layer]) => !alike(layer, theirs.get(key))).map(([, , index]) => index));
}

function decisionsTable(found) {
  const names = [...new Set(found.flatMap(({ trial }) => trial.decisions.map((one) => one.name)))];
  let all = param("all") === "yes";
  const body = el("tbody", {});
  const shown = (one) => (one === undefined ? "–" : one.active === false ? "not in force" : decided(one));
  const fillBody = () => {
    const rows = names.map((name) => [name, found.map(({ trial }) => shown(trial.decisions.find((one) => one.name === name)))]);
    const chosen = rows.filter(([, labels]) => all || new Set(labels).size > 1);
    fill(body, chosen.length ? chosen.map(([name, labels]) => el("tr", { class: new Set(labels).size > 1 ? "chosen" : null }, el("td", {}, name), labels.map((label) => el("td", { class: "num" }, label)))) : el("tr", {}, el("td", { colspan: found.length + 1, class: "soft" }, "They make the same choices.")));
  };
  fillBody();
  return el("div", { class: "panel", "data-figure": "decisions" }, el("div", { class: "row" }, el("h2", {}, "Decisions"), toggle("equal ones too", all, (on) => {
    all = on;
    setParams({ all: on ? "yes" : "" });
    fillBody();
  })), el("div", { class: "scroll-x", tabindex: "0", role: "region", "aria-label": "Decisions" }, el("table", { class: "table" }, el("thead", {}, headRow(found, "decision")), body)));
}
