// The pairing: which service, and by which key.

import { checkedAddress, isOwn, pairing, tryPairing } from "./service.js";

const form = document.querySelector("form");
const status = document.querySelector("#status");
const { address, key } = await pairing();
form.elements.address.value = address;
form.elements.key.value = key;

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  status.className = "none";
  try {
    const address = checkedAddress(form.elements.address.value);
    const url = new URL(address);
    if (!isOwn(url) && !(await chrome.permissions.request({ origins: [`${url.origin}/*`] }))) {
      throw new Error("Without your permission the extension can't reach this address; nothing was saved.");
    }
    await chrome.storage.local.set({ address, key: form.elements.key.value.trim() });
    const { problem } = await tryPairing();
    status.textContent = problem ? `Saved, but: ${problem}` : "Paired: the service answers.";
    status.className = problem ? "none" : "real";
  } catch (error) {
    status.textContent = error.message;
  }
});
