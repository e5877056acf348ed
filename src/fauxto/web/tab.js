// Keeps the tab's secret in the tab itself, and tells the server the one from before a reload.
const KEY = "fauxto-tab";
const PATIENCE = 200; // milliseconds in which another tab says that a secret is its own
const tabs = "BroadcastChannel" in globalThis ? new BroadcastChannel(KEY) : null;
let own; // while the tab is shown
let asked; // what other tabs were asked for; null once one of them has it

tabs?.addEventListener("message", ({ data: { ask, has } }) => {
  if (ask && ask === own) tabs.postMessage({ has: own });
  if (has && has === asked) asked = null;
});

export default function ({ data, setStateValue }) {
  document.documentElement.lang = data.language;
  try {
    const kept = sessionStorage.getItem(KEY);
    if (kept && kept !== data.secret && kept !== data.answered) {
      if (asked !== undefined) return; // the answer is on its way
      asked = kept;
      tabs?.postMessage({ ask: kept });
      setTimeout(() => {
        const isFree = asked === kept;
        asked = undefined;
        if (isFree) setStateValue("kept", kept);
        else sessionStorage.setItem(KEY, (own = data.secret)); // a duplicate took its original's along
      }, tabs ? PATIENCE : 0);
    } else {
      sessionStorage.setItem(KEY, (own = data.secret));
    }
  } catch {
    // Without session storage, a reload begins anew.
  }
}
