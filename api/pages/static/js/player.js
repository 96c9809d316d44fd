// One player for the page: a queue, where it is in the track, and a way back to the track that was asked about.

import { byId, clock, cover, el, sign } from "./dom.js";
import { drawPlayed, trackPeaks } from "./peaks.js";

const STEP_S = 5;
const audio = el("audio", { preload: "none" });
const art = el("span", { className: "cover" });
const title = el("strong", { className: "title" });
const said = el("span", { className: "small muted", role: "status" });
const time = el("span", { className: "small muted number" }, "0:00");
const line = el("canvas", { "aria-hidden": "true" });
const seek = el("div", { className: "seek", role: "slider", tabIndex: 0, "aria-label": "Where in the track", "aria-valuemin": "0" }, line);
const back = el("button", { onclick: () => playTrack({ ...asked, at: asked.left }) }, "Back to the asked track");
const pause = el("button", { className: "round", "aria-label": "Pause", onclick: () => toggle() }, sign("play"));
const previous = el("button", { className: "plain", "aria-label": "Previous", onclick: () => step(-1) }, sign("previous"));
const next = el("button", { className: "plain", "aria-label": "Next", onclick: () => step(1) }, sign("next"));
const moved = new Set();
const turned = new Set();
let asked = null;
let now = null;
let queue = [];
let peaks = [];

/** Name the track that neighbours are compared with; null when it cannot be heard. */
export function setAsked(track) {
  asked = track && { ...track, left: 0 };
  back.hidden = true;
}

/** Play `{src, title}` from `at` seconds on. The asked track remembers where it was left. */
export function playTrack(track, { among = [] } = {}) {
  const { src, title: name, at = 0 } = track;
  show();
  if (asked && now?.src === asked.src) asked.left = audio.currentTime;
  const isNew = now?.src !== src;
  now = track;
  queue = among.length ? among : [track];
  title.textContent = name;
  said.textContent = "";
  back.hidden = !asked || asked.src === src;
  previous.hidden = next.hidden = queue.length < 2;
  if (isNew) begin(src);
  if (isNew) art.replaceChildren(...(track.id ? [cover(track.id, 44)] : []));
  // Before anything of the file is known, a seek waits for it.
  if (audio.readyState > 0) audio.currentTime = at;
  else audio.addEventListener("loadedmetadata", () => { audio.currentTime = at; }, { once: true });
  audio.play().catch((error) => {
    if (error.name === "NotSupportedError") said.textContent = "This browser cannot play that kind of file.";
  });
  if ("mediaSession" in navigator) navigator.mediaSession.metadata = new MediaMetadata({ title: name, artwork: track.id ? [{ src: `/tracks/${track.id}/cover` }] : [] });
}

/** Pause or go on; of another track, play that. */
export function toggle(track, options) {
  if (track && now?.src !== track.src) playTrack(track, options);
  else if (audio.paused) audio.play().catch(() => {});
  else audio.pause();
}

/** Forget who listens: their page was left. */
export function forgetListeners() {
  moved.clear();
  turned.clear();
}

/** Call `listener(src, seconds)` while something plays. */
export const onMoved = (listener) => moved.add(listener);

/** Call `listener(src, isPlaying)` when something begins or pauses. */
export const onTurned = (listener) => turned.add(listener);

/** The address and title under which a track of the catalogue is heard. */
export const heard = (track) => ({ src: `/tracks/${track.id}/audio`, title: [track.artist, track.title].filter(Boolean).join(" – "), id: track.id });

export function playButton(track) {
  const source = heard(track);
  return el("button", { className: "plain", "aria-label": `Play ${source.title}`, onclick: () => playTrack(source) }, sign("play"));
}

function step(by) {
  const place = queue.findIndex((track) => track.src === now?.src) + by;
  if (queue[place]) playTrack({ ...queue[place], at: 0 }, { among: queue });
  else if (by < 0) audio.currentTime = 0;
}

async function begin(src) {
  audio.src = src;
  peaks = [];
  draw();
  if (now.id === undefined || now.id === null) return;
  const found = await trackPeaks(now.id).catch(() => ({ peaks: [] }));
  if (now.src === src) { peaks = found.peaks; draw(); }
}

function draw() {
  const whole = Number.isFinite(audio.duration) ? audio.duration : 0;
  drawPlayed(line, peaks, whole ? audio.currentTime / whole : 0);
  time.textContent = whole ? `${clock(audio.currentTime)} / ${clock(whole)}` : clock(audio.currentTime);
  seek.setAttribute("aria-valuemax", String(Math.round(whole)));
  seek.setAttribute("aria-valuenow", String(Math.round(audio.currentTime)));
  seek.setAttribute("aria-valuetext", `${clock(audio.currentTime)} of ${clock(whole)}`);
}

function turn() {
  pause.replaceChildren(sign(audio.paused ? "play" : "pause"));
  pause.setAttribute("aria-label", audio.paused ? "Go on" : "Pause");
  turned.forEach((listener) => listener(now?.src, !audio.paused));
}

function show() {
  const bar = byId("player");
  if (!bar.hidden) return;
  bar.replaceChildren(art, el("div", { className: "now" }, title, said), el("div", { className: "controls" }, previous, pause, next), seek, time, back, audio);
  bar.hidden = false;
  document.body.classList.add("playing");
  new ResizeObserver(draw).observe(line);
}

seek.addEventListener("click", (event) => {
  const { left, width } = line.getBoundingClientRect();
  if (Number.isFinite(audio.duration)) audio.currentTime = Math.max(0, (event.clientX - left) / width) * audio.duration;
});
seek.addEventListener("keydown", (event) => {
  const by = { ArrowLeft: -STEP_S, ArrowRight: STEP_S }[event.key];
  if (!by) return;
  event.preventDefault();
  audio.currentTime = Math.max(0, audio.currentTime + by);
});
audio.addEventListener("timeupdate", () => { draw(); moved.forEach((listener) => listener(now.src, audio.currentTime)); });
for (const name of ["play", "pause", "ended"]) audio.addEventListener(name, turn);
audio.addEventListener("ended", () => step(1));
audio.addEventListener("error", () => {
  if (audio.error) said.textContent = "This browser cannot play that file, or it is not there any more.";
});
if ("mediaSession" in navigator) {
  for (const [name, act] of Object.entries({ play: () => toggle(), pause: () => audio.pause(), previoustrack: () => step(-1), nexttrack: () => step(1) })) navigator.mediaSession.setActionHandler(name, act);
}
