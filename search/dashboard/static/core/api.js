// Requests to the REST API of this server, and the session's right to change things.
const ROOT = document.documentElement.dataset.root ?? "";
let session = null;

export const page = (path) => ROOT + path;
export const api = (path) => `${ROOT}/api/v1${path}`;
export const encode = encodeURIComponent;
export const studyPath = (name) => `/studies/${encode(name)}`;
export const studyPage = (name) => page(studyPath(name));
export const trialPage = (name, number) => `${studyPage(name)}/trials/${number}`;
export const devicePage = (name) => page(`/devices/${encode(name)}`);

export function getSession() {
  session ??= get("/session").catch((error) => {
    session = null;
    throw error;
  });
  return session;
}

export async function get(path) {
  return read(await asked(path, "application/json"));
}

export async function getBlocks(path) {
  const answer = await asked(path, "application/octet-stream");
  if (!answer.ok) await read(answer);
  return answer.arrayBuffer();
}

// What `first_paint.js` has asked for already is taken from there, once.
function asked(path, kind) {
  const early = globalThis.early?.get(path);
  globalThis.early?.delete(path);
  return early ?? fetch(api(path), { headers: { Accept: kind }, cache: "no-cache" });
}

// A dashboard that was started anew has another token: it is asked for once more.
export async function change(method, path, body, again = true) {
  const { csrf_token: token } = await getSession();
  const headers = { Accept: "application/json", "Content-Type": "application/json", "X-CSRF-Token": token ?? "" };
  const answer = await fetch(api(path), { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  if (answer.status !== 403 || !again) return read(answer);
  session = null;
  return change(method, path, body, false);
}

async function read(answer) {
  if (answer.status === 204) return null;
  const body = await answer.json().catch(() => null);
  if (answer.ok) return body;
  const error = new Error(body?.error ?? `The server answered ${answer.status} ${answer.statusText}.`);
  error.status = answer.status;
  throw error;
}
