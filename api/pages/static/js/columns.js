// A table of which nobody knows what its columns hold: its first rows, and a choice above each column.

import { el } from "./dom.js";

/** Show the table of a problem `unknown_columns`; `use` gets what was chosen, such as "title=2,artist=1". */
export function askColumns({ table, detail }, use) {
  const width = Math.max(table.head.length, ...table.rows.map((row) => row.length));
  const choices = Array.from({ length: width }, (_, place) => choice(table, place));
  const cells = (row, name) => Array.from({ length: width }, (_, place) => el(name, {}, row[place] ?? ""));
  const said = el("p", { role: "alert", className: "small" });
  const send = () => {
    const chosen = choices.map((select, place) => [select.value, place + 1]).filter(([column]) => column);
    const twice = chosen.some(([column], n) => chosen.findIndex(([other]) => other === column) !== n);
    if (twice) said.textContent = "Each can be one column only.";
    else if (!chosen.length) said.textContent = "Say at least which column holds the title.";
    else use(chosen.map(([column, number]) => `${column}=${number}`).join(","));
  };
  return el("div", { className: "warning", role: "group", "aria-label": "What the columns hold" },
    el("p", {}, el("strong", {}, "Which column is which?"), ` ${detail}. It is remembered for files with this head.`),
    el("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": "The first rows of the file" },
      el("table", { className: "small" },
        el("thead", {}, el("tr", {}, choices.map((select) => el("td", {}, select))),
          table.head.length ? el("tr", {}, cells(table.head, "th")) : null),
        el("tbody", {}, table.rows.map((row) => el("tr", {}, cells(row, "td")))))),
    said,
    el("button", { className: "main", type: "button", onclick: send }, "Use these columns"));
}

function choice({ head, columns, guess }, place) {
  const select = el("select", { "aria-label": `Column ${place + 1}${head[place] ? `, ${head[place]},` : ""} is` },
    el("option", { value: "" }, "–"), columns.map((column) => el("option", { value: column }, column === "isrc" ? "ISRC" : column)));
  select.value = columns.find((column) => guess[column] === place + 1) ?? "";
  return select;
}
