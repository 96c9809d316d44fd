// An answer of /recommend as a picture: verdict, ranked playlists with their evidence, what is heard when.

import { palette } from "./colours.js";
import { cover, el, named, percent, plural, sign } from "./dom.js";
import { playButton, playTrack } from "./player.js";
import { waveform } from "./waveform.js";

/** Show `answer` in `target`. `source` is what to play, or null; `peaks` a promise of the waveform; `feedback` a box. */
export function showAnswer(target, answer, { source, peaks, feedback }) {
  const colours = palette(answer.playlists.map((playlist) => playlist.id));
  const byName = new Map(answer.playlists.map((playlist) => [playlist.name, colours.get(playlist.id)]));
  const picture = el("div");
  const heading = el("h2", { tabIndex: -1, id: "asked" }, named(answer.track));
  target.replaceChildren(
    el("div", { className: "asked" }, answer.track.id === null ? null : el("div", { className: "hero" }, cover(answer.track.id, 148)), source ? el("button", { className: "round", "aria-label": `Play ${named(answer.track)}`, onclick: () => playTrack(source) }, sign("play")) : null,
      el("div", {}, heading, el("p", { className: `verdict ${answer.verdict}` }, verdict(answer)),
        answer.explanation ? el("p", { className: "muted explanation" }, answer.explanation) : null,
        answer.track.heard_in_part ? el("p", { className: "small" }, `Of this song: ${answer.track.heard_in_part}.`) : null)),
    answer.member_of.length ? el("p", { className: "muted" }, `It is in ${names(answer.member_of)} already; it was not counted among its own neighbours.`) : "",
    learning(answer),
    picture,
    feedback,
    el("div", { className: "columns" },
      el("section", {}, el("h3", {}, "Playlists"),
        el("ol", { className: "ranked" }, answer.playlists.map((playlist) => ranked(playlist, colours.get(playlist.id), answer.playlists.some((row) => row.fits))))),
      similar(answer)),
    provenance(answer),
  );
  showWaveform(picture, answer, { source, peaks, byName });
  heading.focus({ preventScroll: true });
}

const names = (playlists) => playlists.map((playlist) => playlist.name).join(", ");

/** What the listener said of the song and this group stands before all that a model thinks. */
function verdict(answer) {
  const [right, wrong] = ["right", "wrong"].map((said) => answer.said.filter((row) => row.verdict === said).map((row) => row.playlist));
  return wrong.length && !right.length ? `You said that it is not for ${names(wrong)}. ${answer.headline}` : answer.headline;
}

/** What is being learnt while this answer is given; the next one knows it. */
const learning = (answer) => (answer.learning ? el("p", { className: "notice", role: "status" }, `Being learnt now: ${answer.learning.reason}. `, el("a", { href: "/app/jobs" }, "See how far it is"), ", then ask again.") : "");

/** A playlist of the answer. Where nothing fits its share among the playlists would look like a fit: it stands behind "Why". */
function ranked(playlist, colour, somethingFits) {
  const row = el("li", {},
    el("div", { className: "row" },
      el("strong", { className: "chip grow" }, playlist.name),
      el("span", { className: playlist.fits ? "fits" : "fits-not" }, { right: "you put it here", wrong: "you ruled it out" }[playlist.said] ?? (playlist.fits ? "fits" : "does not fit")),
      somethingFits ? el("strong", { className: "number" }, percent(playlist.probability)) : null),
    somethingFits ? bar(playlist.probability, playlist.fits ? "bar" : "bar plain") : null,
    evidence(playlist, somethingFits));
  row.style.setProperty("--chip", colour);
  return row;
}

function bar(share, className = "bar") {
  const filled = el("div");
  filled.style.transform = `scaleX(${share})`;
  return el("div", { className, "aria-hidden": "true" }, filled);
}

function evidence(playlist, somethingFits) {
  const weighed = "The two opinions (classifier, nearest tracks) together, corrected by how often such answers were right";
  return el("details", { open: playlist.rank === 1 && somethingFits },
    el("summary", { className: "small" }, "Why"),
    el("div", { className: "parts small" },
      el("span", {}, "by its sound"), bar(playlist.classifier, "bar thin"), el("span", { className: "number" }, percent(playlist.classifier)),
      el("span", {}, "by its neighbours"), bar(playlist.neighbours, "bar thin"), el("span", { className: "number" }, percent(playlist.neighbours))),
    el("p", { className: "small muted" }, somethingFits ? `${weighed}: ${percent(playlist.probability)}. ` : `${weighed}: ${percent(playlist.probability)} if it had to be one of yours. `, standsOut(playlist)),
    playlist.note ? el("p", { className: "small muted" }, `Note: ${playlist.note}.`) : null,
    playlist.nearest.length ? el("ul", { className: "near small", "aria-label": `Nearest tracks in ${playlist.name}` }, playlist.nearest.map(near)) : null);
}

function standsOut(playlist) {
  if (playlist.p_value === null) return "Too few tracks to say how far out its own tracks lie.";
  return `${percent(playlist.p_value)} of its own tracks lie at least as far out as this one.`;
}

const near = ({ track, similarity }) => el("li", {},
  playButton(track),
  el("a", { className: "grow", href: `/app/ask?track=${track.id}` }, named(track)),
  el("span", { className: "muted number", title: "Likeness: cosine similarity, 1 is the same" }, similarity.toFixed(2)));

function similar(answer) {
  if (!answer.similar.length) return "";
  return el("section", {}, el("h3", {}, "Sounds most like"),
    el("p", { className: "small muted" }, "Play one, then go back and forth between it and your song."),
    el("ul", { className: "near small" }, answer.similar.map(near)),
    el("p", {}, el("a", { href: onMap(answer) }, "Show it on the map")));
}

function onMap({ track, similar: around }) {
  if (track.id !== null) return `/app/map?track=${track.id}`;
  return `/app/map?${new URLSearchParams({ near: around.map((row) => row.track.id).join(","), artist: track.artist, title: track.title })}`;
}

function provenance(answer) {
  const total = Object.values(answer.timing_ms).reduce((sum, ms) => sum + ms, 0);
  const spent = Object.entries(answer.timing_ms).map(([step, ms]) => `${step.replaceAll("_", " ")} ${ms.toFixed(1)} ms`);
  return el("p", { className: "small muted" }, `Heard by ${answer.encoder}, placed by model ${answer.model} in ${total.toFixed(0)} ms (${spent.join(", ")}).`);
}

async function showWaveform(target, answer, { source, peaks, byName }) {
  if (!answer.segments.length) return;
  target.className = "waveform room"; // its room, so that nothing jumps when it comes
  let drawn;
  try {
    drawn = await peaks;
  } catch {
    drawn = { peaks: [], duration_s: answer.track.duration_s ?? Math.max(...answer.segments.map((s) => s.end_s)) };
  }
  const shown = drawn.peaks.length ? drawn : { ...drawn, peaks: new Array(200).fill(0.5) };
  const heardNames = [...new Set(answer.segments.map((segment) => segment.playlist))];
  target.className = "room";
  target.replaceChildren(
    waveform({ ...shown, segments: answer.segments, colour: (name) => byName.get(name) ?? "var(--muted)", source }),
    el("p", { className: "legend" }, heardNames.map((name) => chip(name, byName.get(name))), chip("not listened to", "var(--unheard)"),
      el("span", {}, `${plural(answer.segments.length, "moment")}, coloured by the playlist that each speaks for. Choose one to hear it.`),
      drawn.peaks.length ? null : el("span", {}, "(Its loudness cannot be drawn.)")));
}

export function chip(name, colour) {
  const made = el("span", { className: "chip" }, name);
  made.style.setProperty("--chip", colour);
  return made;
}
