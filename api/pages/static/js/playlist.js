// One playlist: its tracks, those that may not belong, what was matched; rename, export, remove.

import { clock, cover, el, firstOf, named, percent, plural, problemBox } from "./dom.js";
import { doubtsOf, figuresOf, servedCard, siblingsOf } from "./scorecard.js";
import { followJob } from "./job_progress.js";
import { getJson, sendJson } from "./http.js";
import { go } from "./shell.js";
import { playButton } from "./player.js";
import { showMatchReport } from "./matches.js";
import { tell as give } from "./feedback.js";

const FORMATS = { m3u8: "M3U8", xspf: "XSPF", jspf: "JSPF", csv: "CSV", pls: "PLS", rekordbox: "rekordbox", nml: "Traktor", crate: "Serato" };
const N_SHOWN = 300;

/** Work on the page in `main` until `signal` says that it is left. */
export function mount(main, { signal }) {
  const byId = (id) => main.querySelector(`#${id}`);
  const place = byId("playlist");
  const id = Number(place.dataset.id);

  async function show() {
    try {
      const [playlist, card] = await Promise.all([getJson(`/playlists/${id}`), servedCard().catch(() => ({ groups: [] }))]);
      if (signal.aborted) return;
      document.title = `${playlist.name} – Whichlist`;
      place.replaceChildren(
        el("h1", {}, playlist.name),
        el("p", { className: "muted" }, summary(playlist, figuresOf(card, playlist))),
        ...(figuresOf(card, playlist)?.warnings ?? []).map((warning) => el("p", { className: "warning" }, warning)),
        ...siblingsOf(card, playlist).filter((pair) => pair.advice === "merge").map((pair) => sibling(playlist, pair)),
        actions(playlist),
        ...doubts(playlist, doubtsOf(card, playlist)),
        el("h2", {}, "Tracks"),
        playlist.tracks.length ? tracks(playlist) : el("p", {}, "None yet."));
      showMatches(playlist);
    } catch (error) {
      place.replaceChildren(problemBox(error, { again: show }));
    }
  }

  function summary(playlist, figures) {
    const said = [`${plural(playlist.n_tracks, "track")} of the group “${playlist.group}”`];
    if (playlist.folder) said.push(`as in the folder ${playlist.folder}`);
    if (figures) said.push(`${percent(figures.recall)} of its tracks are found again when their artists are unknown`);
    return `${said.join("; ")}.`;
  }

  function sibling(playlist, pair) {
    const other = pair.playlists.find((name) => name !== playlist.name);
    const told = `Hard to tell apart from “${other}”: given one track of each, the right one is found ${percent(pair.told_apart)} of the time.`;
    return el("p", { className: "notice" }, `${told} Are they one playlist?`);
  }

  function actions(playlist) {
    const status = byId("status") ?? el("div", { id: "status" });
    const name = el("input", { id: "new-name", value: playlist.name, required: true, maxLength: 200, autocomplete: "off" });
    const rename = el("form", { className: "row", onsubmit: (event) => {
      event.preventDefault();
      change(status, () => sendJson("PUT", `/playlists/${id}`, { name: name.value.trim() }), show);
    } }, el("label", { htmlFor: "new-name" }, "New name"), name, el("button", {}, "Rename"));
    const sure = removal(playlist, status);
    return el("div", {},
      el("div", { className: "row small" }, el("span", {}, "Save as"), Object.entries(FORMATS).map(([format, name]) => el("a", { href: `/playlists/${id}/export?format=${format}`, download: "" }, name)),
        el("a", { href: "/app/map" }, "See it on the map")),
      el("details", {}, el("summary", { className: "small" }, "Rename or remove"), el("div", { className: "row" }, rename, el("button", { onclick: () => sure.showModal() }, "Remove …"))),
      sure, status);
  }

  function removal(playlist, status) {
    const remove = () => { sure.close(); change(status, () => sendJson("DELETE", `/playlists/${id}`), () => go("/app/playlists")); };
    const sure = el("dialog", { "aria-label": "Remove the playlist" },
      el("p", {}, `Remove “${playlist.name}”? Its tracks stay in the catalogue and on the disk.`),
      el("div", { className: "row" }, el("button", { className: "main", onclick: remove }, "Remove"), el("button", { onclick: () => sure.close() }, "Keep")));
    return sure;
  }

  async function change(status, send, then) {
    try {
      const { job } = await send();
      await followJob(status, job.id);
      then();
    } catch (error) {
      status.replaceChildren(problemBox(error));
    }
  }

  function doubts(playlist, found) {
    if (!found.length) return [];
    return [
      el("h2", { id: "doubts" }, "May not belong here"),
      el("p", { className: "muted" }, "By ear, and without knowing their artists, these fit another playlist better. You know best."),
      el("ul", { className: "ranked" }, found.map((doubt) => doubtRow(playlist, doubt))),
    ];
  }

  function doubtRow(playlist, doubt) {
    const said = el("p", { className: "small", role: "status" });
    const settled = { then: () => { for (const button of buttons) button.disabled = true; } };
    const tell = (verdict, sentence) => () => give(said, doubt.id, [{ verdict, playlist_id: playlist.id }], sentence, settled);
    const buttons = doubt.id === undefined ? [] : [
      el("button", { onclick: tell("right", "It stays."), "aria-label": `${doubt.title} belongs` }, "It belongs"),
      el("button", { onclick: tell("wrong", "It is taken out."), "aria-label": `Take out ${doubt.title}` }, "Take it out"),
    ];
    return el("li", {},
      el("div", { className: "row" },
        doubt.id === undefined ? null : playButton(doubt),
        el("span", { className: "grow" }, named(doubt)),
        el("span", { className: "muted small" }, `${doubt.predicted} ${percent(doubt.predicted_probability)}, here ${percent(doubt.own_probability)}`),
        buttons),
      said);
  }

  function tracks(playlist) {
    const body = el("tbody");
    const [, more] = firstOf(body, playlist.tracks, trackRow, { most: N_SHOWN });
    const column = (name, properties = {}) => el("th", { scope: "col", ...properties }, name);
    return el("div", {}, el("div", { className: "scroll" }, el("table", { className: "tracks" },
      el("thead", {}, el("tr", {}, column(el("span", { className: "unseen" }, "Play")), column("Title (choose one to see where else it fits)"), column("Artist"), column("Length", { className: "number" }), column(el("span", { className: "unseen" }, "Take out")))),
      body)), more ?? null);
  }

  const trackRow = (track) => el("tr", {},
    el("td", {}, playButton(track)), el("td", {}, cover(track.id, 32), el("a", { href: `/app/ask?track=${track.id}` }, track.title)), el("td", { className: "muted" }, track.artist),
    el("td", { className: "number" }, track.duration_s ? clock(track.duration_s) : "–"), el("td", {}, takeOut(track)));

  /** Taken out with one click, and put back with the next: it is the listener's word, which scans and imports obey. */
  function takeOut(track) {
    const label = () => `${isOut ? "Put back" : "Take out"} ${named(track)}`;
    let isOut = false;
    const button = el("button", { className: "place quiet", "aria-label": label(), onclick: async () => {
      button.disabled = true;
      try {
        await sendJson(isOut ? "POST" : "DELETE", `/playlists/${id}/tracks`, { track_ids: [track.id] });
        isOut = !isOut;
        button.closest("tr").classList.toggle("out", isOut);
        button.textContent = isOut ? "Put back" : "Take out";
        button.setAttribute("aria-label", label());
      } catch (error) {
        byId("status")?.replaceChildren(problemBox(error));
      } finally {
        button.disabled = false;
      }
    } }, "Take out");
    return button;
  }

  async function showMatches(playlist) {
    if (["folder", "api", "feedback"].includes(playlist.source)) return;
    place.append(await showMatchReport(playlist));
    if (location.hash === "#matches") byId("matches")?.scrollIntoView();
  }

  show();
}
