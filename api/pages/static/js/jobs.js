// What runs, how far it is, what failed and why; cancel, try again.

import { el, moment, plural, problemBox } from "./dom.js";
import { getJson, sendJson } from "./http.js";
import { isOver, progressOf, title } from "./job_progress.js";

const WAIT_MS = 2000;
const N_PAGE = 50;

/** Work on the page in `main` until `signal` says that it is left. */
export function mount(main, { signal }) {
  const byId = (id) => main.querySelector(`#${id}`);
  const list = byId("jobs");
  const health = byId("health");
  const shown = new Map();
  let isAll = false;
  const oldest = () => Math.min(...shown.keys(), Infinity);

  async function showOlder() {
    const { jobs } = await getJson(`/jobs?limit=${N_PAGE}&before_id=${oldest()}`);
    isAll = jobs.length < N_PAGE;
    for (const job of jobs) update(job, { isOld: true });
    byId("older").hidden = isAll;
  }

  async function look() {
    try {
      const [{ jobs }, ready] = await Promise.all([getJson(`/jobs?limit=${N_PAGE}`), getJson("/readyz")]);
      health.replaceChildren(healthSentence(ready, jobs));
      for (const job of [...jobs].reverse()) update(job);
      byId("none").hidden = jobs.length > 0;
      byId("older").hidden = !oldest() || jobs.length < N_PAGE || isAll;
    } catch (error) {
      health.replaceChildren(problemBox(error));
    }
    if (!signal.aborted) setTimeout(look, document.hidden ? 5 * WAIT_MS : WAIT_MS);
  }

  function healthSentence({ checks }, jobs) {
    const waiting = jobs.filter((job) => job.state === "queued");
    const running = jobs.filter((job) => job.state === "running");
    const oldest = Math.max(0, ...waiting.map((job) => Date.now() - Date.parse(job.created_at)));
    const isIdle = waiting.length && !running.length && oldest > 15000;
    return el("div", { className: isIdle ? "warning" : "notice" },
      el("p", {}, `Everything answers. Model in service: ${checks.model}. ${plural(running.length, "job")} running, ${waiting.length} waiting.`),
      isIdle ? el("p", {}, "Nothing takes the waiting work: is a worker running (", el("code", {}, "whichlist worker"), ")?") : null);
  }

  function update(job, { isOld = false } = {}) {
    const before = shown.get(job.id);
    const key = JSON.stringify(job);
    if (before?.key === key) return;
    const row = before?.row ?? el("li");
    if (!before) list[isOld ? "append" : "prepend"](row);
    const open = row.querySelector("details")?.open ?? false;
    row.replaceChildren(...contents(job, open));
    shown.set(job.id, { row, key });
  }

  function contents(job, open) {
    const over = isOver(job);
    return [
      el("div", { className: "row" },
        el("strong", { className: "grow" }, `${title(job)} `, el("span", { className: "muted small" }, `#${job.id}, ${moment(job.created_at)}`)),
        el("span", { className: `state ${job.state}` }, job.state),
        over ? null : act("Cancel", job, "cancel"),
        ["failed", "cancelled"].includes(job.state) ? act("Try again", job, "retry") : null),
      over ? null : progressOf(job),
      job.message ? el("p", { className: "small" }, job.message) : null,
      job.error ? el("p", { className: "small bad" }, job.error) : null,
      job.n_failed ? failures(job, open) : null,
    ].filter(Boolean);
  }

  function act(label, job, verb) {
    const button = el("button", { "aria-label": `${label}: ${title(job)} ${job.id}`, onclick: async () => {
      button.disabled = true;
      try {
        await sendJson("POST", `/jobs/${job.id}/${verb}`);
      } catch (error) {
        button.replaceWith(problemBox(error));
      }
    } }, label);
    return button;
  }

  function failures(job, open) {
    const items = el("ul", { className: "small" });
    const box = el("details", { open, ontoggle: async () => {
      if (!box.open || items.children.length) return;
      try {
        const { failed } = await getJson(`/jobs/${job.id}`);
        items.replaceChildren(...failed.map((item) => el("li", {}, `${item.key}: ${item.error} (${item.code})`)));
      } catch (error) {
        items.replaceChildren(problemBox(error));
      }
    } }, el("summary", { className: "small" }, `${plural(job.n_failed, "step")} set aside`), items);
    return box;
  }

  byId("older").addEventListener("click", () => showOlder().catch((error) => byId("older").replaceWith(problemBox(error))));
  look();
}
