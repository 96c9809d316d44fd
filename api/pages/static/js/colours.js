// One colour per playlist, the same on every page; the style sheet says what it is in light and in dark.

const N_SERIES = 10;

/** Playlist ids to colours, by the order of the ids, so that ten playlists never share one. */
export function palette(ids) {
  const order = [...new Set(ids)].sort((a, b) => a - b);
  return new Map(order.map((id, place) => [id, `var(--series-${place % N_SERIES})`]));
}

/** What a canvas needs: the colour itself. `var(--x)` -> "#0067a3" as of now. */
export function resolved(colour) {
  const name = /var\((--[\w-]+)\)/.exec(colour)?.[1];
  return name ? getComputedStyle(document.documentElement).getPropertyValue(name).trim() : colour;
}

/** Call `draw` when the visitor changes between light and dark. */
export function onSchemeChange(draw) {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
}
