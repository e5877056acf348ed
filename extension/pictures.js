// Fetches pictures as the user sees them, logins included. The service never fetches anything.

// Calls a function of in_page.js in a frame of a page.
export async function inPage(tab, frame, name, ...args) {
  const target = { tabId: tab, frameIds: [frame] };
  const func = (name, args) => globalThis.fauxtoInPage?.[name](...args) ?? null;
  let [{ result }] = await chrome.scripting.executeScript({ target, func, args: [name, args] });
  if (result === null) {
    await chrome.scripting.executeScript({ target, files: ["in_page.js"] });
    [{ result }] = await chrome.scripting.executeScript({ target, func, args: [name, args] });
  }
  return result;
}

// Lists the pictures in all frames of a page that the browser lets the extension read, those of the page itself first.
// Returns {pictures: [{url, frame, number: in the frame}], small, unloaded, more, closed: [origin or "" of each other frame]}.
export async function listed(tab, leastPixels, most) {
  const target = { tabId: tab, allFrames: true };
  const args = [leastPixels, most];
  const func = (leastPixels, most) => globalThis.fauxtoInPage?.list(leastPixels, most) ?? null;
  // Immediately: a frame that never ends loading would hold up all others.
  await chrome.scripting.executeScript({ target, files: ["in_page.js"], injectImmediately: true });
  const answers = await chrome.scripting.executeScript({ target, func, args, injectImmediately: true });
  const frames = answers.filter(({ result }) => result).sort((one, other) => one.frameId - other.frameId);
  const pictures = frames.flatMap(({ frameId, result }) => result.urls.map((url, number) => ({ url, frame: frameId, number })));
  const sum = (name) => frames.reduce((total, { result }) => total + result[name], 0);
  const open = new Set(frames.map(({ result }) => result.path));
  const closed = frames.flatMap(({ result }) => result.frames.filter(({ path }) => !open.has(path)).map(({ origin }) => origin));
  const more = sum("more") + Math.max(0, pictures.length - most);
  return { pictures: pictures.slice(0, most), small: sum("small"), unloaded: sum("unloaded"), more, closed };
}

// Returns {picture: a Blob}, or {problem: a sentence}, with `origin` where the user could allow to read from there.
export async function fetched(url, tab, frame) {
  let answer = { problem: "The picture can't be fetched.", failed: true };
  if (/^(https?|blob):/.test(url) && tab !== null) {
    try {
      answer = await inPage(tab, frame, "read", url, "same-origin"); // as the page itself: with its logins
    } catch {
      // the page is gone, or is none that an extension may enter
    }
  } else if (url.startsWith("data:")) {
    answer = await fauxtoInPage.read(url, "omit");
  }
  if (answer?.failed && /^https?:/.test(url)) {
    const origin = `${new URL(url).origin}/*`;
    if (!(await chrome.permissions.contains({ origins: [origin] }))) {
      return { problem: `The picture comes from another site, ${new URL(url).host}.`, origin };
    }
    answer = await fauxtoInPage.read(url, "include");
  }
  return answer?.picture ? { picture: await (await fetch(answer.picture)).blob() } : { problem: answer?.problem };
}
