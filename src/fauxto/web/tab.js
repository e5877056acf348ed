// Keeps the tab's secret in the tab itself, and tells the server the one from before a reload.
const KEY = "fauxto-tab";

export default function ({ data, setStateValue }) {
  document.documentElement.lang = data.language;
  try {
    const kept = sessionStorage.getItem(KEY);
    if (kept && kept !== data.secret && kept !== data.answered) setStateValue("kept", kept);
    else sessionStorage.setItem(KEY, data.secret);
  } catch {
    // Without session storage, a reload begins anew.
  }
}
