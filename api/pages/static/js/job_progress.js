// Following background work until it is over.

import { el, plural, problemBox } from "./dom.js";
import { getJson } from "./http.js";

const WAIT_MS = 700;
const TITLES = {
  scan: "Look through a folder", add_playlist: "Add a playlist", import_playlist: "Import a playlist", sync: "Read playlists again", refit: "Fit the playlists again",
  train: "Train and judge a challenger", score_feed: "Score new releases", map: "Draw the map",
};

export const title = (job) => TITLES[job.kind] ?? job.kind.replaceAll("_", " ");
export const isOver = (job) => job.finished_at !== null;

/** A bar with counts, rate and time left. */
export function progressOf(job) {
  const said = [job.n_total ? `${job.n_done.toLocaleString("en")} of ${job.n_total.toLocaleString("en")}` : job.state === "queued" ? "waiting for its turn" : "just begun"];
  if (job.rate_per_s) said.push(`${job.rate_per_s.toFixed(job.rate_per_s < 10 ? 1 : 0)} a second`);
  if (job.eta_s) said.push(`${duration(job.eta_s)} left`);
  if (job.cancel_requested) said.push("stopping after this step");
  const bar = el("progress", { max: Math.max(job.n_total, 1), "aria-label": `Progress of: ${title(job)}` });
  if (job.n_total) bar.value = job.n_done;
  return el("div", {}, bar, el("p", { className: "small muted" }, said.join(", ")));
}

function duration(seconds) {
  if (seconds < 90) return plural(Math.ceil(seconds), "second");
  return seconds < 5400 ? plural(Math.round(seconds / 60), "minute") : plural(Math.round(seconds / 3600), "hour");
}

/** Show a job in `target` until it is over, then return it. A server that is away for a while is waited for. */
export async function followJob(target, id) {
  for (;;) {
    try {
      const job = await getJson(`/jobs/${id}`);
      target.replaceChildren(
        el("p", { role: "status" }, `${title(job)}: ${isOver(job) ? job.state : job.message || (job.state === "queued" ? "waiting" : "under way")}`),
        isOver(job) ? el("p", {}, job.error ?? job.message) : progressOf(job));
      if (isOver(job)) return job;
    } catch (error) {
      if (error.code !== "unreachable" && error.status !== 503) {
        target.replaceChildren(problemBox(error));
        throw error;
      }
      target.replaceChildren(problemBox(error));
    }
    await new Promise((resolve) => { setTimeout(resolve, WAIT_MS); });
  }
}

/** Follow in `target` what is queued or running of some kinds; returns once all of it is over. */
export async function followRunning(target, kinds) {
  const found = await Promise.all(["running", "queued"].map((state) => getJson(`/jobs?state=${state}&limit=20`)));
  const jobs = found.flatMap((page) => page.jobs).filter((job) => kinds.includes(job.kind));
  await Promise.all(jobs.map(async (job) => {
    const place = el("div");
    target.append(place);
    await followJob(place, job.id).catch(() => {});
  }));
  return jobs.length;
}
