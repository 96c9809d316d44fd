// What the listener says of an answer with one click: right, wrong (and what is right), liked, disliked.

import { el, problemBox } from "./dom.js";
import { getJson, sendJson } from "./http.js";
import { isOver } from "./job_progress.js";

const TASTE = "taste"; // the group whose playlists are called liked and disliked
const WAIT_MS = 700;
const N_LOOKS = 120;

/** The buttons below the verdict. `track()` promises the id, keeping a file first; `again(id)` asks once more. */
export function feedbackBox(answer, { track, again }) {
  const said = el("div", { className: "small said", role: "status" });
  const lead = answer.playlists.find((playlist) => playlist.fits) ?? answer.playlists[0];
  const isNone = answer.verdict === "none_fits";
  let rows = [];
  const buttons = [];

  const show = (state) => {
    rows = state.feedback;
    for (const { button, holds } of buttons) button.setAttribute("aria-pressed", String(rows.some(holds)));
  };
  const give = async (verdicts, sentence) => {
    const id = await keeping(said, track);
    if (id !== null) await tell(said, id, verdicts, sentence, { then: show, again });
  };
  const toggle = (label, verdict, playlist, sentence) => {
    const holds = (row) => (playlist ? row.verdict === verdict && row.playlist.id === playlist.id : row.group === TASTE && row.verdict === "right" && row.playlist.name === verdict);
    const button = el("button", { "aria-pressed": "false", onclick: () => {
      const given = rows.find(holds);
      if (given) give([{ takeBack: given.playlist.id }], "Taken back.");
      else give([{ verdict, playlist_id: playlist?.id }], sentence);
    } }, label);
    buttons.push({ button, holds });
    return button;
  };

  const correct = el("select", { "aria-label": "The right playlist", hidden: true, onchange: () => {
    const right = answer.playlists.find((playlist) => playlist.id === Number(correct.value));
    const wrong = isNone ? [] : [{ verdict: "wrong", playlist_id: lead.id }];
    const sentence = right ? `It is in ${right.name} now${isNone ? "" : `, and kept out of ${lead.name}`}.` : `It is kept out of ${lead.name}.`;
    give(right ? [...wrong, { verdict: "right", playlist_id: right.id }] : wrong, sentence);
    correct.selectedIndex = 0;
  } }, el("option", { value: "", disabled: true, selected: true }, "Where does it belong?"),
    answer.playlists.filter((playlist) => isNone || playlist !== lead).map((playlist) => el("option", { value: playlist.id }, playlist.name)),
    isNone ? null : el("option", { value: "0" }, "in none of them"));
  const wrong = el("button", { "aria-expanded": "false", onclick: () => {
    correct.hidden = !correct.hidden;
    wrong.setAttribute("aria-expanded", String(!correct.hidden));
    if (!correct.hidden) correct.focus();
  } }, "Wrong …");

  const fitting = answer.playlists.filter((playlist) => playlist.fits);
  const right = isNone ? [toggle("Right, it fits none", "wrong", lead, `It is kept out of ${lead?.name}.`)]
    : (fitting.length ? fitting : [lead]).map((playlist) => toggle(`Right: ${playlist?.name}`, "right", playlist, `It is in ${playlist?.name} now.`));
  if (answer.track.id !== null) getJson(`/tracks/${answer.track.id}/feedback`).then(show).catch(() => {});
  return el("div", { className: "feedback" },
    el("div", { className: "row", role: "group", "aria-label": "Is that right?" },
      lead ? [...right, wrong, correct] : null,
      toggle("Like", "liked", null, "Noted as liked."),
      toggle("Dislike", "disliked", null, "Noted as disliked."),
      answer.track.id === null ? el("span", { className: "small muted" }, "Saying so keeps the file, so that it can be learnt.") : null),
    said);
}

const capital = (text) => text[0].toUpperCase() + text.slice(1);

async function keeping(status, track) {
  status.replaceChildren("…");
  try {
    return await track();
  } catch (error) {
    status.replaceChildren(problemBox(error));
    return null;
  }
}

/** Send verdicts and show what came of them in `status`; `then(state)` is called when they were taken. */
export async function tell(status, trackId, verdicts, sentence, { then, again } = {}) {
  status.replaceChildren("…");
  try {
    let state = null;
    for (const verdict of verdicts) {
      const place = `/tracks/${trackId}/feedback`;
      state = "takeBack" in verdict ? await sendJson("DELETE", `${place}?playlist_id=${verdict.takeBack}`) : await sendJson("PUT", place, verdict);
    }
    status.replaceChildren([sentence, state.job ? "It is learnt in a moment." : "", state.advice ? capital(state.advice) : ""].filter(Boolean).join(" "));
    then?.(state);
    if (state.job && again) offerAgain(status, state.job, () => again(trackId));
  } catch (error) {
    status.replaceChildren(problemBox(error));
  }
}

/** Once the job has learnt it, lead to the answer of the model that knows. */
async function offerAgain(status, { id }, again) {
  const about = status.firstChild;
  for (let n = 0; n < N_LOOKS && about?.isConnected; n += 1) {
    await new Promise((resolve) => { setTimeout(resolve, WAIT_MS); });
    const job = await getJson(`/jobs/${id}`).catch(() => null);
    if (!job || !isOver(job)) continue;
    if (about.isConnected && job.state === "succeeded") status.append(" ", el("button", { onclick: again }, "Learnt: ask again"));
    return;
  }
}
