// What the score card of the model in service says of playlists; empty while nothing was judged.

import { getJson } from "./http.js";

const NONE = { groups: [] };

/** The card of the serving model, `{groups: [...]}`. */
export async function servedCard() {
  const { models } = await getJson("/models");
  const serving = models.find((model) => model.serving);
  if (!serving) return NONE;
  return (await getJson(`/models/${encodeURIComponent(serving.id)}/report`)).scorecard ?? NONE;
}

const groupOf = (card, name) => card.groups.find((group) => group.group === name && group.playlists);

/** Figures of one playlist, or undefined. */
export const figuresOf = (card, playlist) => groupOf(card, playlist.group)?.playlists.find((row) => row.name === playlist.name);

/** Its tracks that seem to belong elsewhere, most surprising first. */
export const doubtsOf = (card, playlist) => (groupOf(card, playlist.group)?.doubtful ?? []).filter((row) => row.label === playlist.name);

/** Pairs of the group that are hard to tell apart, where this playlist is one of them. */
export const siblingsOf = (card, playlist) => (groupOf(card, playlist.group)?.siblings ?? []).filter((pair) => pair.playlists.includes(playlist.name));
