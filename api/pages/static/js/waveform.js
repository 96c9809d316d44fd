// How loud a track is, coloured by the playlist that each heard segment speaks for; every segment is a button.

import { onSchemeChange, resolved } from "./colours.js";
import { clock, el, percent } from "./dom.js";
import { onMoved, playTrack } from "./player.js";

const N_POINTS = 400;

/** Peaks of a file that the server does not keep, decoded here; throws where the browser cannot. */
export async function filePeaks(file) {
  const context = new OfflineAudioContext(1, 1, 22050);
  const signal = await context.decodeAudioData(await file.arrayBuffer());
  const y = signal.getChannelData(0);
  const n = Math.min(N_POINTS, y.length);
  const peaks = Array.from({ length: n }, (_, row) => {
    let peak = 0;
    for (let i = Math.floor((row * y.length) / n); i < ((row + 1) * y.length) / n; i += 1) peak = Math.max(peak, Math.abs(y[i]));
    return Math.min(peak, 1);
  });
  return { peaks, duration_s: signal.duration };
}

/** The picture. `segments` as in an answer, `colour(name)` a playlist's colour, `source` what to play or null. */
export function waveform({ peaks, duration_s, segments, colour, source }) {
  const canvas = el("canvas", { "aria-hidden": "true" });
  const needle = el("div", { className: "needle", hidden: true });
  const spans = segments.map((segment) => segmentButton(segment, duration_s, source));
  const picture = el("div", { className: "waveform", role: "group", "aria-label": "What is heard when" }, canvas, spans, needle);
  const draw = () => drawPeaks(canvas, peaks, duration_s, segments, colour);
  new ResizeObserver(draw).observe(picture);
  onSchemeChange(draw);
  onMoved((src, at) => {
    needle.hidden = src !== source?.src;
    needle.style.left = `${(100 * at) / duration_s}%`;
  });
  return picture;
}

function segmentButton(segment, duration_s, source) {
  const said = `${clock(segment.start_s)} to ${clock(segment.end_s)}: ${segment.playlist}, ${percent(segment.probability)}`;
  const play = () => playTrack({ ...source, at: segment.start_s });
  const button = el("button", { title: said, "aria-label": source ? `Play ${said}` : said, disabled: !source, onclick: play });
  button.style.left = `${(100 * segment.start_s) / duration_s}%`;
  button.style.width = `${(100 * (segment.end_s - segment.start_s)) / duration_s}%`;
  return button;
}

function drawPeaks(canvas, peaks, duration_s, segments, colour) {
  const { width, height } = canvas.getBoundingClientRect();
  const scale = devicePixelRatio;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const brush = canvas.getContext("2d");
  const loudest = Math.max(...peaks, 0.05);
  const step = canvas.width / peaks.length;
  const unheard = resolved("var(--unheard)");
  peaks.forEach((peak, row) => {
    const at = ((row + 0.5) / peaks.length) * duration_s;
    const segment = segments.find((s) => s.start_s <= at && at < s.end_s);
    brush.fillStyle = segment ? resolved(colour(segment.playlist)) : unheard;
    const tall = Math.max((peak / loudest) * canvas.height, scale);
    brush.fillRect(row * step, (canvas.height - tall) / 2, Math.max(step - scale * 0.5, 1), tall);
  });
}
