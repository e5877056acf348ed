// What the button in the toolbar opens: how the pairing is, and the check of a whole page.

import { pairing, tryPairing } from "./service.js";

const status = document.querySelector("#status");
document.querySelector("#all").addEventListener("click", async () => {
  const [tab] = await chrome.tabs.query({ active: true, currentWindow: true });
  await fauxtoKept.openCheck({ tab: tab.id, all: true });
  window.close();
});
const { problem } = await tryPairing();
status.textContent = problem ?? `Paired with ${(await pairing()).address}`;
status.className = problem ? "none" : "soft";
