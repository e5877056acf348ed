// What the button in the toolbar opens: how the pairing is, and the check of a whole page.

import { pairing, tryPairing } from "./service.js";

const status = document.querySelector("#status");
document.querySelector("#all").addEventListener("click", async () => {
  const [tab] = await chrome.tabs.query({ active: true, currentWindow: true });
  const id = crypto.randomUUID();
  await chrome.storage.session.set({ [`job:${id}`]: { tab: tab.id, all: true } });
  await chrome.windows.create({ url: `check.html#${id}`, type: "popup", width: 480, height: 680 });
  window.close();
});
const { problem } = await tryPairing();
status.textContent = problem ?? `Paired with ${(await pairing()).address}`;
status.className = problem ? "none" : "soft";
