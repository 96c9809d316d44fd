// How loud a track is from moment to moment, as the server says, and a line of it for the player.

import { resolved } from "./colours.js";
import { getJson } from "./http.js";

const N_POINTS = 400;
const N_BARS = 120;

/** Peaks of a track of the catalogue: `{peaks, duration_s}`. */
export const trackPeaks = (id) => getJson(`/tracks/${id}/waveform?points=${N_POINTS}`);

/** Bars on a canvas, those before `share` (0 to 1) as played; without peaks a plain line. */
export function drawPlayed(canvas, peaks, share) {
  const { width, height } = canvas.getBoundingClientRect();
  canvas.width = Math.round(width * devicePixelRatio);
  canvas.height = Math.round(height * devicePixelRatio);
  const brush = canvas.getContext("2d");
  const n = Math.max(1, Math.min(N_BARS, Math.floor(width / 4)));
  const step = canvas.width / n;
  const loudest = Math.max(...peaks, 0.05);
  const [played, ahead] = [resolved("var(--accent)"), resolved("var(--unheard)")];
  for (let bar = 0; bar < n; bar += 1) {
    const from = Math.floor((bar * peaks.length) / n);
    const tall = peaks.length ? Math.max(...peaks.slice(from, Math.max(from + 1, Math.floor(((bar + 1) * peaks.length) / n)))) / loudest : 0.08;
    const size = Math.max(tall * canvas.height, 2 * devicePixelRatio);
    brush.fillStyle = bar / n < share ? played : ahead;
    brush.beginPath();
    brush.roundRect(bar * step, (canvas.height - size) / 2, Math.max(step * 0.62, 1), size, step * 0.3);
    brush.fill();
  }
}
