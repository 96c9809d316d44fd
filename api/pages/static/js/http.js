// Talking to our own server: JSON in, JSON out, and every failure a Problem with a title and what to do.

const WAIT_MS = 1500;

export class Problem extends Error {
  constructor({ title, detail = "", action = "", page = "", code = "", status = 0, table }) {
    super(detail || title);
    Object.assign(this, { title, detail, action: page || action, code, status, table });
  }
}

const unreachable = () => new Problem({
  title: "The server does not answer", code: "unreachable",
  action: "Is it still running? This page goes on by itself as soon as it is.",
});

function unreadable(status) {
  return new Problem({ title: `The server answered ${status} without saying why`, status, code: "unreadable" });
}

/** Without a token nothing works: lead to where it is asked for, and back. */
function askForToken(status) {
  if (status === 401 && location.pathname !== "/app/login") location.assign(`/app/login?next=${encodeURIComponent(location.pathname + location.search)}`);
}

async function request(url, options) {
  let response;
  try {
    response = await fetch(url, { ...options, headers: { Accept: "application/json", ...options.headers } });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw unreachable();
  }
  let body;
  try {
    body = response.status === 204 ? null : await response.json();
  } catch {
    throw unreadable(response.status);
  }
  if (response.ok) return body;
  askForToken(response.status);
  throw new Problem(body);
}

export const getJson = (url, { signal } = {}) => request(url, { signal });

export function sendJson(method, url, value) {
  const body = value === undefined ? {} : { body: JSON.stringify(value), headers: { "Content-Type": "application/json" } };
  return request(url, { method, ...body });
}

/** POST a form with files. `onProgress` gets the share sent, 0 to 1; fetch() cannot say that. */
export function upload(url, form, { onProgress, signal } = {}) {
  return new Promise((resolve, reject) => {
    const call = new XMLHttpRequest();
    call.open("POST", url);
    call.setRequestHeader("Accept", "application/json");
    call.responseType = "json";
    call.upload.onprogress = (event) => event.lengthComputable && onProgress?.(event.loaded / event.total);
    call.onload = () => {
      if (call.status < 400 && call.response) resolve(call.response);
      else askForToken(call.status), reject(call.response?.title ? new Problem(call.response) : unreadable(call.status));
    };
    call.onerror = () => reject(unreachable());
    call.onabort = () => reject(new DOMException("stopped", "AbortError"));
    signal?.addEventListener("abort", () => call.abort());
    call.send(form);
  });
}

/** Call `then` once the server answers again, unless `isWanted()` says that nobody waits any more. */
export async function whenBack(then, isWanted) {
  for (;;) {
    await new Promise((resolve) => { setTimeout(resolve, WAIT_MS); });
    if (!isWanted()) return;
    try {
      if ((await fetch("/healthz")).ok) break;
    } catch { /* not yet */ }
  }
  if (isWanted()) then();
}

export const query = (parameters) => {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return given.length ? `?${new URLSearchParams(given)}` : "";
};
