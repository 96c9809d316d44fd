// Trades the token for a cookie that scripts cannot read, and goes on to where the visitor wanted to be.

import { byId, problemBox } from "./dom.js";
import { sendJson } from "./http.js";

byId("login").addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    await sendJson("POST", "/session", { token: byId("token").value });
    location.assign(byId("login").dataset.next);
  } catch (error) {
    byId("problem").replaceChildren(problemBox(error));
  }
});
