// What one page of the extension keeps for another, in the browser's memory until it is closed: the newest ones.

globalThis.fauxtoKept ??= (() => {
  const session = chrome.storage.session;
  const MOST = 50; // fewer where they are large: the browser keeps 10 MB in all

  // Keeps a value and returns its id; the oldest values go where there is no room. Throws where nothing helps.
  async function keep(kind, value) {
    const id = `${String(Date.now()).padStart(15, "0")}-${crypto.randomUUID()}`;
    const entry = { [`${kind}:${id}`]: value };
    if (new Blob([JSON.stringify(entry)]).size > session.QUOTA_BYTES) {
      throw new RangeError("too large to keep, whatever goes"); // so nothing goes
    }
    const oldest = Object.keys(await session.get(null)).sort((one, other) => (idOf(one) < idOf(other) ? -1 : 1));
    await session.remove(oldest.splice(0, Math.max(0, oldest.length + 1 - MOST)));
    for (;;) {
      try {
        await session.set(entry);
        return id;
      } catch (error) {
        if (!oldest.length) {
          throw error;
        }
        await session.remove(oldest.shift());
      }
    }
  }

  function idOf(name) {
    return name.slice(name.indexOf(":") + 1);
  }

  // Returns the value whose id stands behind the # of this page's address, or undefined.
  async function kept(kind) {
    const name = `${kind}:${location.hash.slice(1)}`;
    return (await session.get(name))[name];
  }

  // Opens the window that does a job: it lives as long as the check, which a service worker may not.
  async function openCheck(job) {
    const id = await keep("job", job).catch(() => "unkept");
    await chrome.windows.create({ url: `check.html#${id}`, type: "popup", width: 480, height: 680 });
  }

  return { keep, kept, openCheck };
})();
