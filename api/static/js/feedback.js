// What the listener says of an answer: right, wrong (and what is right), liked, disliked; and keeping a file.

import { el, problemBox } from "./dom.js";
import { getJson, sendJson, upload } from "./http.js";

/** The row of buttons below the verdict of a track of the catalogue. */
export function feedbackBox(answer) {
  const said = el("p", { className: "small", role: "status" });
  const right = answer.playlists.find((playlist) => playlist.fits) ?? answer.playlists[0];
  const buttons = [];
  const give = (pressed, feedback, sentence) => say(said, answer.track.id, feedback, sentence, () => {
    buttons.forEach((button) => button.setAttribute("aria-pressed", String(button === pressed)));
  });
  const button = (label, act) => {
    const made = el("button", { "aria-pressed": "false", onclick: () => act(made) }, label);
    buttons.push(made);
    return made;
  };
  const correct = el("select", { "aria-label": "The right playlist", hidden: true, onchange: () => {
    const playlist = answer.playlists.find((p) => p.id === Number(correct.value));
    if (playlist) give(wrong, { verdict: "right", playlist_id: playlist.id }, `It is in ${playlist.name} now.`);
    else give(wrong, { verdict: "wrong", playlist_id: right.id }, `It is kept out of ${right.name}.`);
  } }, el("option", { value: "", disabled: true, selected: true }, "Where does it belong?"),
    answer.playlists.map((playlist) => el("option", { value: playlist.id }, playlist.name)),
    el("option", { value: "0" }, "In none of them"));
  const wrong = button("Wrong …", () => { correct.hidden = false; correct.focus(); });
  return el("div", { className: "feedback" },
    el("div", { className: "row", role: "group", "aria-label": "Is that right?" },
      right ? button(`Right: ${right.name}`, (b) => give(b, { verdict: "right", playlist_id: right.id }, `It is in ${right.name} now.`)) : null,
      wrong, correct,
      button("♥ Like", (b) => give(b, { verdict: "liked" }, "Noted as liked.")),
      button("Dislike", (b) => give(b, { verdict: "disliked" }, "Noted as disliked."))),
    said);
}

/** Send one verdict and show what came of it in `status`; `then` is called when it was taken. */
export async function say(status, trackId, feedback, sentence, then) {
  status.replaceChildren("…");
  try {
    const { advice, job } = await sendJson("PUT", `/tracks/${trackId}/feedback`, feedback);
    status.replaceChildren([sentence, job ? "The model learns it in a moment." : "", advice ?? ""].filter(Boolean).join(" "));
    then?.();
  } catch (error) {
    status.replaceChildren(problemBox(error));
  }
}

/** A button that keeps the file that was listened to, so that something can be said of it. */
export function keepBox(file, options, onKept) {
  const box = el("div", { className: "row" });
  const keep = el("button", { onclick: async () => {
    keep.disabled = true;
    try {
      const form = new FormData();
      form.append("file", file);
      const track = await upload("/uploads", form);
      onKept(await getJson(`/recommend?${new URLSearchParams([...new URLSearchParams(options), ["track", track.id]])}`));
    } catch (error) {
      box.replaceChildren(problemBox(error));
    }
  } }, "Keep this track");
  box.append(keep, el("span", { className: "small muted" }, "to put it into a playlist, or to say whether this is right"));
  return box;
}
