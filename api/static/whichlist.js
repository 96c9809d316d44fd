"use strict";
// Answers both forms in place. Everything from the server is set as text, never as markup.

const verdicts = { fits: "It fits", several_fit: "It fits several:", none_fits: "It fits none; the nearest is" };

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function percent(share) {
  return `${Math.round(100 * share)} %`;
}

function playlistRow(playlist) {
  const row = element("tr");
  const name = element("td", playlist.name);
  if (playlist.note) name.append(element("div", playlist.note, "evidence"));
  const near = playlist.nearest.map((n) => `${n.track.artist} – ${n.track.title} (${n.similarity.toFixed(2)})`);
  row.append(
    name,
    element("td", percent(playlist.probability), "number"),
    element("td", playlist.fits ? "yes" : "no"),
    element("td", near.join("; "), "evidence"),
  );
  return row;
}

function showAnswer(target, answer) {
  const first = answer.playlists.filter((p) => p.fits).map((p) => p.name).join(", ") || answer.playlists[0]?.name;
  const table = element("table");
  const head = element("tr");
  for (const title of ["Playlist", "Probability", "Fits", "Nearest tracks"]) head.append(element("th", title));
  table.append(head, ...answer.playlists.map(playlistRow));
  const spent = Object.entries(answer.timing_ms).map(([step, ms]) => `${step} ${ms} ms`).join(", ");
  target.replaceChildren(
    element("h2", `${answer.track.artist} – ${answer.track.title}`),
    element("p", `${verdicts[answer.verdict]} ${first ?? ""}.`),
    table,
    element("p", `${answer.encoder}, ${answer.model}; ${spent}`, "small"),
  );
}

async function ask(event) {
  event.preventDefault();
  const form = event.currentTarget;
  const target = document.getElementById("answer");
  target.replaceChildren(element("p", "Listening…"));
  const data = new FormData(form);
  const isUpload = form.method === "post";
  const url = isUpload ? form.action : `${form.action}?${new URLSearchParams(data)}`;
  try {
    const response = await fetch(url, isUpload ? { method: "POST", body: data } : {});
    const body = await response.json();
    if (response.ok) showAnswer(target, body);
    else target.replaceChildren(element("p", `${body.title}: ${body.detail}`), element("p", body.action));
  } catch (error) {
    target.replaceChildren(element("p", `The server did not answer: ${error.message}`));
  }
}

for (const id of ["ask", "ask-track"]) document.getElementById(id)?.addEventListener("submit", ask);
