// Sending dropped files, a few at a time; what could not be sent waits here until the server is back.

import { byId, el, plural, problemBox } from "./dom.js";
import { upload, whenBack } from "./http.js";

const AUDIO = /\.(mp3|mp2|flac|ogg|oga|opus|wav|aiff?|aifc|caf|m4a|m4b|mp4|aac|wma|wv|ape|au)$/i;
const N_AT_ONCE = 2;
const N_NAMED = 5;
const waiting = [];
let n_chosen = 0;
let n_done = 0;
let n_same = 0;
let n_running = 0;
let others = [];
let tooLarge = [];
let mostMb = 0;

const isAudio = (file) => AUDIO.test(file.name) || (file.type.startsWith("audio/") && !/mpegurl|scpls/i.test(file.type));
const warn = (event) => event.preventDefault(); // the browser asks whether to leave

/** Send what of `files` is audio, up to `most` MB: `place()` promises the batch, `onRow(row)` gets each song as it was heard. */
export function send(files, { place, onRow, most }) {
  mostMb = most;
  if (!n_running) { n_chosen = n_done = n_same = 0; others = []; tooLarge = []; }
  const audio = files.filter(isAudio);
  others = others.concat(files.filter((file) => !isAudio(file)));
  tooLarge = tooLarge.concat(audio.filter((file) => file.size > most * 1e6));
  const fitting = audio.filter((file) => file.size <= most * 1e6);
  n_chosen += fitting.length;
  waiting.push(...fitting);
  tell();
  for (let n = n_running; n < N_AT_ONCE && n < waiting.length + n_running; n += 1) work({ place, onRow });
}

async function work(how) {
  n_running += 1;
  window.addEventListener("beforeunload", warn);
  while (waiting.length) {
    const file = waiting.shift();
    try {
      await sendOne(file, how);
      n_done += 1;
    } catch (error) {
      waiting.unshift(file);
      stop(error, how);
      break;
    }
    tell();
  }
  n_running -= 1;
  if (!n_running) window.removeEventListener("beforeunload", warn);
  tell();
}

async function sendOne(file, { place, onRow }) {
  const id = await place(file);
  const form = new FormData();
  form.append("file", file);
  const { is_new: isNew, row } = await upload(`/sort/${id}/files`, form);
  n_same += isNew ? 0 : 1;
  onRow(row);
}

/** Nothing is dropped: the rest goes on by itself once the server is back, or when somebody says so. */
function stop(error, how) {
  const goOn = () => { box.remove(); if (waiting.length && n_running < N_AT_ONCE) work(how); };
  const detail = `${error.detail ? `${error.detail} ` : ""}${plural(waiting.length, "song")} wait here to be sent.`;
  const box = problemBox({ title: error.title ?? "That did not work", detail, action: error.action }, { again: goOn });
  byId("sending")?.before(box);
  if (error.code === "unreachable") whenBack(goOn, () => true);
}

/** Say on a page that was just opened how far it is; the sending itself outlasts pages. */
export const showSending = () => { if (n_running) tell(); };

/** Whether songs are on their way, whichever page began it. */
export const isSending = () => n_running > 0;

function tell() {
  const left = waiting.length + n_running;
  const said = [];
  if (left) said.push(`Heard ${n_done.toLocaleString("en")} of ${plural(n_chosen, "song")}; keep Whichlist open until all are sent.`);
  if (n_same) said.push(`${plural(n_same, "song")} ${n_same === 1 ? "was" : "were"} in this batch already.`);
  if (others.length) said.push(`Left out, being no songs: ${names(others)}.`);
  if (tooLarge.length) said.push(`Larger than ${mostMb} MB: ${names(tooLarge)}.`);
  const bar = left ? el("progress", { max: Math.max(n_chosen, 1), value: n_done, "aria-label": "Songs heard" }) : null;
  byId("sending")?.replaceChildren(...[bar, said.length ? el("p", { className: "small muted" }, said.join(" ")) : null].filter(Boolean));
}

const names = (files) => files.slice(0, N_NAMED).map((file) => file.name).join(", ") + (files.length > N_NAMED ? ` and ${files.length - N_NAMED} more` : "");
