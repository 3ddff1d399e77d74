// News of a study: the server's events where they come through, else a question each second or two.
import { api, get, studyPath } from "./api.js";
import { byId } from "./dom.js";

const WORDS = { live: "live", polling: "live", lost: "no answer: trying again", gone: "no longer stored: renamed or deleted" };

// Calls `onchange({change_seq, counts, state, numbers})` for each change after `since`.
export function follow(study, since, onchange) {
  let seq = since;
  let known = "";
  let ended = false;
  let source = null;
  const take = (body) => {
    if (!body) return;
    const key = JSON.stringify([body.change_seq, body.state, body.counts, body.updated_at]);
    const news = body.change_seq > seq || (known !== "" && key !== known);
    known = key;
    seq = Math.max(seq, body.change_seq);
    if (news) onchange(body);
  };
  const listen = () => {
    source = new EventSource(`${api(studyPath(study))}/events?since=${seq}`);
    source.addEventListener("change", (event) => {
      show("live");
      take(JSON.parse(event.data));
    });
    source.addEventListener("gone", () => end("gone"));
    source.onopen = () => show("live");
    source.onerror = () => {
      source.close();
      poll(1500);
    };
  };
  const poll = async (wait) => {
    if (ended || document.hidden) return;
    let next = 1500;
    try {
      take(await get(`${studyPath(study)}/changes?since=${seq}`));
      show("polling");
    } catch (error) {
      if (error.status === 404) {
        end("gone");
        return;
      }
      show("lost");
      next = Math.min(2 * wait, 15000);
    }
    setTimeout(poll, next, next);
  };
  const end = (why) => {
    ended = true;
    source?.close();
    show(why);
  };
  // A browser has few connections to one server: a tab that is not seen gives its own up.
  document.addEventListener("visibilitychange", () => {
    source?.close();
    if (!document.hidden && !ended) listen();
  });
  addEventListener("pagehide", () => source?.close());
  listen();
}

export function show(state) {
  const place = byId("connection");
  place.dataset.state = state;
  place.textContent = WORDS[state];
}

// Repeats `work` while the page can be seen.
export function every(ms, work) {
  const turn = async () => {
    if (!document.hidden) {
      try {
        await work();
        show("live");
      } catch {
        show("lost");
      }
    }
    setTimeout(turn, ms);
  };
  setTimeout(turn, ms);
}
