// What can be done to a study: pause, resume, stop; rename, tag, note, archive, delete.
import { change, getSession, page, studyPage, studyPath } from "../core/api.js";
import { askSure, askText, menu, toast } from "../core/dialog.js";
import { button, el, fill } from "../core/dom.js";

let drawnFor = "";

export async function drawActions(place, data) {
  const study = data.summary;
  const key = [study.state, study.archived, study.tags, study.control].join();
  if (key === drawnFor) return;
  drawnFor = key;
  const session = await getSession().catch(() => ({ read_only: true }));
  const compare = el("a", { href: page(`/compare?studies=${encodeURIComponent(study.name)}`), class: "button" }, "Compare");
  if (session.read_only) {
    fill(place, el("span", { class: "soft small" }, "read-only"), compare);
    return;
  }
  fill(place, controls(data), compare, menu("More", (close) => items(data).map(([words, work, look]) => button(words, () => {
    close();
    work();
  }, { class: look ?? "" }))));
}

function controls(data) {
  const { state } = data.summary;
  const act = (action, words) => button(words, async (event) => {
    event.target.disabled = true;
    if (action === "stop" && !(await askSure("Stop this study?", "Running trials finish, then the study ends. Launching it again goes on where it stopped.", "Stop it"))) {
      event.target.disabled = false;
      return;
    }
    await tried(() => change("POST", `${studyPath(data.name)}/control`, { action }), { pause: "Pausing: running trials finish", resume: "Resumed", stop: "Stopping: running trials finish" }[action]);
    event.target.disabled = false;
    again(data);
  }, { "data-action": action });
  if (state === "pausing") return [act("resume", "Resume"), act("stop", "Stop")];
  if (state === "running") return [act("pause", "Pause"), act("stop", "Stop")];
  if (state === "paused") return [act("resume", "Resume"), act("stop", "Stop")];
  return [];
}

function items(data) {
  const study = data.summary;
  const patch = async (body, words) => {
    await tried(() => change("PATCH", studyPath(data.name), body), words);
    again(data);
  };
  return [
    ["Rename …", async () => {
      const name = await askText("Rename this study", study.name, { words: "Rename" });
      if (name && name !== study.name && await tried(() => change("PATCH", studyPath(data.name), { name }), "Renamed")) location.href = studyPage(name);
    }],
    ["Tags …", async () => {
      const text = await askText("Tags", (study.tags ?? []).join(", "), { hint: "Separated by commas." });
      if (text !== null) await patch({ tags: text.split(",").map((tag) => tag.trim()).filter(Boolean) }, "Tags kept");
    }],
    ["Note …", () => editNote(data)],
    [study.archived ? "Take out of the archive" : "Archive", () => patch({ archived: !study.archived }, study.archived ? "Back among the studies" : "Archived: the list shows it with 'archived too'")],
    ["Delete …", async () => {
      const sure = await askSure(`Delete ${study.name}?`, "All of its trials and results are removed from the database. This cannot be undone.", "Delete it");
      if (sure && await tried(() => change("DELETE", studyPath(data.name)), "Deleted")) location.href = page("/");
    }, "danger"],
  ];
}

export async function editNote(data) {
  const note = await askText("Note", data.summary.note ?? "", { long: true, hint: "Markdown: headings, lists, emphasis, code, links." });
  if (note === null) return;
  await tried(() => change("PATCH", studyPath(data.name), { note }), "Note kept");
  again(data);
}

const again = (data) => data.refresh({ change_seq: data.seq }).catch((error) => toast(error.message, true));

async function tried(work, words) {
  try {
    await work();
    toast(words);
    return true;
  } catch (error) {
    toast(error.message, true);
    return false;
  }
}
