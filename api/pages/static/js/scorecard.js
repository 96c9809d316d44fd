// What the latest score card says of playlists; empty while nothing was judged.

import { getJson } from "./http.js";

const NONE = { groups: [] };

/** How a model was fitted and judged, `{report, scorecard}`; the card is null while it was not judged. */
export const reportOf = (model) => getJson(`/models/${encodeURIComponent(model.id)}/report?tracks=false`);

/** The card of the model in service, else of the newest that was judged: `{groups, bundle}`. */
export async function servedCard() {
  const { models } = await getJson("/models");
  for (const model of models.sort((a, b) => b.serving - a.serving)) {
    const { scorecard: card } = await reportOf(model);
    if (card) return card;
  }
  return NONE;
}

const groupOf = (card, name) => card.groups.find((group) => group.group === name && group.playlists);

/** Figures of one playlist, or undefined. */
export const figuresOf = (card, playlist) => groupOf(card, playlist.group)?.playlists.find((row) => row.name === playlist.name);

/** Its tracks that seem to belong elsewhere, most surprising first. */
export const doubtsOf = (card, playlist) => (groupOf(card, playlist.group)?.doubtful ?? []).filter((row) => row.label === playlist.name);

/** Pairs of the group that are hard to tell apart, where this playlist is one of them. */
export const siblingsOf = (card, playlist) => (groupOf(card, playlist.group)?.siblings ?? []).filter((pair) => pair.playlists.includes(playlist.name));
