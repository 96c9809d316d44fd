// One song of a batch as a row: what it is, where it would go, how sure that is, what was decided.

import { clock, cover, el, sign } from "./dom.js";

const N_CHIPS = 3;
export const SURE = { clear: "clear", likely: "likely", close_call: "close call", none: "none of yours", said: "you said so", already_in: "there already" };

/** Whether a song waits for a decision. */
export const isWaiting = (row) => row.track !== null && isOpen(row) && !["said", "already_in"].includes(row.sureness);

/** Whether nothing was decided of it, or what was is void: its playlist is gone. */
export const isOpen = (row) => row.decision === null || row.decision.is_gone;

/** The playlists that stand on the row: the proposed one first. */
export const chipsOf = (row) => row.places.slice(0, Math.max(N_CHIPS, row.places.filter((place) => place.fits).length));

/** `acts`: accept(row, id), none(row), undo(row), play(row), taste(row, verdict), choose(row). `colour(id)` of a playlist. */
export function songRow(row, acts, colour) {
  const name = [row.artist, row.title].filter(Boolean).join(" – ");
  const made = el("li", { className: `song ${isOpen(row) ? "" : "done"} ${row.sureness ?? ""}`, tabIndex: -1, id: `song-${row.item}`, dataset: { item: row.item } },
    row.track === null ? el("span", { className: "cover none", "aria-hidden": "true" }, "!") : el("button", { className: "cover", "aria-label": `Play ${name}`, onclick: () => acts.play(row) }, cover(row.track, 44), sign("play")),
    el("div", { className: "what" },
      row.track === null ? el("strong", {}, row.title) : el("a", { className: "title", href: `/app/ask?track=${row.track}` }, row.title || "Untitled"),
      el("span", { className: "small muted" }, [row.artist, row.duration_s ? clock(row.duration_s) : ""].filter(Boolean).join(" · "))),
    row.track === null ? el("p", { className: "small bad" }, `Cannot be sorted: ${row.sentence}`) : choices(row, acts, colour, name),
    el("span", { className: "sure small muted" }, row.track === null ? "not heard" : isOpen(row) ? SURE[row.sureness] ?? "waits" : "sorted"));
  return made;
}

function choices(row, acts, colour, name) {
  if (!isOpen(row)) return decided(row, acts, colour);
  const held = row.member_of.map((playlist) => el("span", { className: "small muted" }, `In ${playlist.name}. `));
  const chips = chipsOf(row).map((place, n) => chip(place, { isPicked: n === 0 && place.fits && !["close_call", "already_in"].includes(row.sureness), colour, label: `Put ${name} into ${place.name}`, act: () => acts.accept(row, place.id) }));
  const gone = row.decision?.is_gone ? el("span", { className: "small bad" }, `“${row.decision.playlist.name}” was removed: choose again. `) : null;
  return el("div", { className: "places" }, gone, held, chips,
    el("button", { className: `place quiet ${row.sureness === "none" ? "picked" : ""}`, "aria-label": `None of mine for ${name}`, onclick: () => acts.none(row) }, "none"),
    el("button", { className: "place quiet", "aria-label": `Another playlist for ${name}`, onclick: () => acts.choose(row) }, "…"),
    taste(row, acts, name, "liked", "♥", "Like"), taste(row, acts, name, "disliked", "✕", "Dislike"));
}

function decided(row, acts, colour) {
  const { playlist } = row.decision;
  return el("div", { className: "places" },
    playlist ? chip(playlist, { isPicked: true, colour, label: "" }) : el("span", { className: "small muted" }, "none of yours"),
    el("button", { className: "place quiet", "aria-label": `Undo: ${row.title}`, onclick: () => acts.undo(row) }, "Undo"));
}

function chip(place, { isPicked, colour, label, act }) {
  const made = act ? el("button", { className: `place ${isPicked ? "picked" : ""}`, "aria-label": label, onclick: act }, place.name) : el("span", { className: "place picked" }, place.name);
  made.style.setProperty("--chip", colour(place.id));
  return made;
}

function taste(row, acts, name, verdict, sign, said) {
  return el("button", { className: "place quiet taste", "aria-label": `${said} ${name}`, "aria-pressed": String(row.taste === verdict), title: said, onclick: () => acts.taste(row, verdict) }, sign);
}
