// One player for the page: what is heard, and a way back to the track that was asked about.

import { byId, el } from "./dom.js";

const audio = el("audio", { controls: true, preload: "none" });
const title = el("span", { className: "grow" });
const back = el("button", { onclick: () => playTrack({ ...asked, at: asked.left }) }, "Back to the asked track");
const said = el("span", { className: "small", role: "status" });
const moved = new Set();
let asked = null;
let now = null;

/** Name the track that neighbours are compared with; null when it cannot be heard. */
export function setAsked(track) {
  asked = track && { ...track, left: 0 };
  back.hidden = true;
}

/** Play `{src, title}` from `at` seconds on. The asked track remembers where it was left. */
export function playTrack({ src, title: name, at = 0 }) {
  show();
  if (asked && now?.src === asked.src) asked.left = audio.currentTime;
  const isNew = now?.src !== src;
  now = { src, title: name };
  title.textContent = name;
  said.textContent = "";
  back.hidden = !asked || asked.src === src;
  if (isNew) audio.src = src;
  // Before anything of the file is known, a seek waits for it.
  if (audio.readyState > 0) audio.currentTime = at;
  else audio.addEventListener("loadedmetadata", () => { audio.currentTime = at; }, { once: true });
  audio.play().catch((error) => {
    if (error.name === "NotSupportedError") said.textContent = "This browser cannot play that kind of file.";
  });
}

/** Call `listener(src, seconds)` while something plays. */
export const onMoved = (listener) => moved.add(listener);

/** The address and title under which a track of the catalogue is heard. */
export const heard = (track) => ({ src: `/tracks/${track.id}/audio`, title: `${track.artist} – ${track.title}` });

export function playButton(track) {
  const source = heard(track);
  return el("button", { className: "plain", "aria-label": `Play ${source.title}`, onclick: () => playTrack(source) }, "▶");
}

function show() {
  const bar = byId("player");
  if (!bar.hidden) return;
  bar.replaceChildren(el("div", {}, title, back, audio, said));
  bar.hidden = false;
}

audio.addEventListener("timeupdate", () => moved.forEach((listener) => listener(now.src, audio.currentTime)));
audio.addEventListener("error", () => {
  if (audio.error) said.textContent = "This browser cannot play that file, or it is not there any more.";
});
