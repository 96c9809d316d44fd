// Feeds of new releases: adding one, scoring it, and the list that each playlist gets.

import { el, firstOf, named, percent, plural, problemBox } from "./dom.js";
import { chip } from "./answer.js";
import { followJob } from "./job_progress.js";
import { getJson, query, sendJson } from "./http.js";
import { palette } from "./colours.js";
import { playButton } from "./player.js";

const N_SHOWN = 50;
const STATES = { scored: "scored", no_audio: "without audio here", failed: "failed", skipped: "skipped", seen: "not looked at yet", resolved: "waiting to be scored" };
const PROMISES = [["", "everything that fits"], ["0.5", "at most 1 in 2 wrong"], ["0.2", "at most 1 in 5 wrong"], ["0.1", "at most 1 in 10 wrong"], ["0.05", "at most 1 in 20 wrong"]];
const EXPORTS = { csv: "CSV", m3u8: "M3U8", jspf: "JSPF", rekordbox: "rekordbox", nml: "Traktor", html: "Digest" };

/** Work on the page in `main`. */
export function mount(main) {
  const byId = (id) => main.querySelector(`#${id}`);
  const list = byId("feeds");
  const form = byId("add");
  const results = byId("results");
  const following = new Set();
  let shown = null; // the feed whose results are on the page

  async function show() {
    try {
      // What was dropped to be sorted is a feed too, and has its own page.
      const feeds = (await getJson("/feeds")).feeds.filter((feed) => feed.kind !== "drop");
      list.replaceChildren(...feeds.map(row));
      if (!feeds.length) list.append(el("li", { className: "muted" }, "No feeds yet."));
      feeds.forEach(resume);
      if (shown === null && feeds.length) await showResults(feeds[0]);
    } catch (error) {
      byId("problem").replaceChildren(problemBox(error, { again: show }));
    }
  }

  function row(feed) {
    const counts = Object.entries(feed.items).filter(([, n]) => n).map(([state, n]) => `${n} ${STATES[state] ?? state}`);
    return el("li", {},
      el("div", { className: "row" },
        el("strong", { className: "grow" }, feed.name),
        el("button", { onclick: () => showResults(feed), "aria-label": `Results of ${feed.name}` }, "Results"),
        el("a", { className: "button", href: `/?batch=${feed.id}`, "aria-label": `Sort ${feed.name}` }, "Sort"),
        el("button", { onclick: () => score(feed), "aria-label": `Score ${feed.name} again` }, "Score what is new"),
        el("button", { onclick: () => remove(feed), "aria-label": `Forget ${feed.name}` }, "Forget")),
      el("p", { className: "small muted" }, `${feed.source}${feed.group ? `, for ${feed.group}` : ""}: ${counts.join(", ") || "nothing read yet"}`),
      feed.error ? el("p", { className: "small bad" }, feed.error) : null,
      el("div", { id: `job-${feed.id}` }));
  }

  async function resume(feed) {
    try {
      const { job_id: job } = await getJson(`/feeds/${feed.id}`);
      if (job && !following.has(job)) follow(feed, job);
    } catch { /* forgotten meanwhile */ }
  }

  async function follow(feed, job) {
    following.add(job);
    try {
      await followJob(byId(`job-${feed.id}`), job);
      await show();
      await showResults(feed);
    } catch { /* shown where the progress was */ }
  }

  async function score(feed) {
    try {
      const { job } = await sendJson("POST", `/feeds/${feed.id}/score`);
      follow(feed, job.id);
    } catch (error) {
      byId(`job-${feed.id}`).replaceChildren(problemBox(error));
    }
  }

  async function remove(feed) {
    try {
      await sendJson("DELETE", `/feeds/${feed.id}`);
      results.replaceChildren();
      shown = null;
      await show();
    } catch (error) {
      byId("problem").replaceChildren(problemBox(error));
    }
  }

  async function showResults(feed, promise = "") {
    shown = feed.id;
    try {
      const found = await getJson(`/feeds/${feed.id}/results${query({ at_most_wrong: promise })}`);
      const colours = palette(found.playlists.map((playlist) => playlist.id));
      const choice = el("select", { id: "promise", onchange: () => showResults(feed, choice.value) },
        PROMISES.map(([value, label]) => el("option", { value, selected: value === promise }, label)));
      results.replaceChildren(
        el("h2", {}, `What ${found.name} holds for each playlist`),
        el("div", { className: "row" }, el("label", { htmlFor: "promise" }, "How many may be wrong"), choice),
        el("p", { className: "muted" }, `${plural(found.n_scored, "track")} scored, ${found.n_fitting_none} of them fit no playlist. `, reasons(found.reasons)),
        el("p", { className: "row small" }, el("span", {}, "Save as"), Object.entries(EXPORTS).map(([format, name]) => el("a", { href: `/feeds/${feed.id}/results${query({ format, at_most_wrong: promise })}` }, name))),
        ...found.playlists.map((playlist) => playlistResults(playlist, colours.get(playlist.id))));
    } catch (error) {
      results.replaceChildren(problemBox(error, { again: () => showResults(feed, promise) }));
    }
  }

  const reasons = (rows) => (rows.length ? `Not scored: ${rows.map((reason) => `${reason.n_items} ${reason.code.replaceAll("_", " ")}`).join(", ")}.` : "");

  function playlistResults(playlist, colour) {
    const tracks = el("ol", { className: "near" });
    return el("section", {},
      el("h3", {}, chip(playlist.name, colour), el("span", { className: "muted small" }, ` ${plural(playlist.tracks.length, "track")}`)),
      playlist.promise ? el("p", { className: "small muted" }, playlist.promise) : null,
      playlist.tracks.length ? firstOf(tracks, playlist.tracks, trackRow, { most: N_SHOWN }) : el("p", { className: "muted" }, "Nothing new."),
      playlist.n_already_in ? el("p", { className: "small muted" }, `${plural(playlist.n_already_in, "more track")} of the feed ${playlist.n_already_in === 1 ? "is" : "are"} in it already.`) : null);
  }

  const trackRow = (track) => el("li", {},
    playButton({ ...track, id: track.track }),
    el("a", { className: "grow", href: `/app/ask?track=${track.track}` }, named(track)),
    track.released ? el("span", { className: "muted small" }, track.released) : null,
    el("span", { className: "number" }, percent(track.probability)));

  form?.addEventListener("submit", async (event) => {
    event.preventDefault();
    byId("problem").replaceChildren();
    try {
      const feed = await sendJson("POST", "/feeds", { source: form.source.value.trim(), group: form.group?.value || undefined });
      form.reset();
      await show();
      await score(feed);
    } catch (error) {
      byId("problem").replaceChildren(problemBox(error));
    }
  });
  if (form) show();
}
