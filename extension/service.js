// The service that this browser is paired with: its address and key, and what it answers.

export const DEFAULT_ADDRESS = "http://127.0.0.1:8080";
const SECONDS = 180;
const TRIES = 6;
const MOST_WAIT = 30;

export async function pairing() {
  return { address: DEFAULT_ADDRESS, key: "", ...(await chrome.storage.local.get(["address", "key"])) };
}

// Returns an address without a slash at its end, or throws an Error with a sentence.
export function checkedAddress(text) {
  let url;
  try {
    url = new URL(text.trim());
  } catch {
    throw new Error("This is no address; it begins with http:// or https://.");
  }
  if (!isOwn(url) && url.protocol !== "https:") {
    throw new Error("Another machine's address begins with https://, or the key and your pictures could be read on the way.");
  }
  if (!["http:", "https:"].includes(url.protocol) || url.username || url.password || url.search || url.hash) {
    throw new Error("The address is a scheme, a host and perhaps a port and a path, and nothing else.");
  }
  return url.href.replace(/\/+$/, "");
}

export function isOwn(url) {
  return ["127.0.0.1", "localhost"].includes(url.hostname) && url.protocol === "http:";
}

// Returns {report}, or {problem: a sentence} with `always: true` where it holds for every other picture too.
export async function analyze(picture) {
  const answer = await ask("/v1/analyze", { method: "POST", body: picture });
  if (answer.problem) {
    return answer;
  }
  const report = answer.document;
  return report?.version === 1 && Array.isArray(report.reasons) && Array.isArray(report.evidence)
    ? { report }
    : { problem: `What answers at ${(await pairing()).address} isn't a fauxto service of this version.` };
}

// Returns {} if the service answers with this pairing, else {problem: a sentence}.
export async function tryPairing() {
  const answer = await ask("/v1/models", {});
  return answer.problem ? answer : {};
}

async function ask(path, options) {
  const { address, key } = await pairing();
  if (!key) {
    return { problem: "This browser isn't paired with a fauxto service yet: open the settings and enter a key.", always: true };
  }
  for (let number = 1; ; number += 1) {
    let response, text;
    try {
      response = await fetch(address + path, {
        ...options,
        headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/octet-stream" },
        credentials: "omit",
        cache: "no-store",
        redirect: "error", // neither the key nor a picture goes where the user hasn't sent it
        signal: AbortSignal.timeout(1000 * SECONDS),
      });
      text = await (await fauxtoInPage.bounded(response)).text();
    } catch {
      return { problem: `The service at ${address} can't be reached. Is fauxto serve running there?`, always: true };
    }
    if (![429, 503].includes(response.status) || number === TRIES) {
      return understood(response, text, address);
    }
    const wait = Math.min(MOST_WAIT, Number(response.headers.get("Retry-After")) || 1);
    await new Promise((resolve) => setTimeout(resolve, 1000 * wait));
  }
}

function understood(response, text, address) {
  let document = null;
  try {
    document = JSON.parse(text);
  } catch {
    // said below
  }
  if (response.ok && document !== null) {
    return { document };
  }
  if (response.status === 401) {
    return { problem: "The service doesn't know this browser's key: open the settings and enter one of its keys.", always: true };
  }
  if (response.status === 403) {
    return { problem: "This service has no keys, and so answers no extension: start it with fauxto serve --keys FILE.", always: true };
  }
  if (typeof document?.title === "string") {
    return { problem: `${document.title}. ${document.detail ?? ""}` };
  }
  return { problem: `What answers at ${address} isn't a fauxto service (status ${response.status}).` };
}
