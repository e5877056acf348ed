// What runs in a page on demand, and in the extension's own pages: lists pictures, reads one, puts badges on them.

globalThis.fauxtoInPage ??= (() => {
  const MOST_BYTES = 25 * 1024 * 1024; // what the service takes
  const SECONDS = 30;
  let pictures = [];
  let layer = null;
  const badges = new Map();

  // Returns {picture: a data URL} or {problem: a sentence}.
  async function read(url, credentials) {
    try {
      const signal = AbortSignal.timeout(1000 * SECONDS);
      let response = await fetch(url, { credentials, cache: "force-cache", signal }); // as the page shows it
      if (!response.ok) {
        response = await fetch(url, { credentials, cache: "reload", signal }); // the refusal may be of before a login
      }
      if (!response.ok) {
        return { problem: `The site refused to give the picture (status ${response.status}).` };
      }
      return { picture: await asDataUrl(await bounded(response)) };
    } catch (error) {
      return { problem: error instanceof RangeError ? error.message : "The picture can't be fetched.", failed: !(error instanceof RangeError) };
    }
  }

  async function bounded(response) {
    const chunks = [];
    let size = 0;
    for (const reader = response.body.getReader(); ; ) {
      const { done, value } = await reader.read();
      if (done) {
        return new Blob(chunks);
      }
      size += value.length;
      if (size > MOST_BYTES) {
        await reader.cancel();
        throw new RangeError("The picture has more than 25 MiB, more than the service takes.");
      }
      chunks.push(value);
    }
  }

  function asDataUrl(blob) {
    return new Promise((resolve, reject) => {
      const reader = new FileReader();
      reader.onload = () => resolve(reader.result);
      reader.onerror = () => reject(reader.error);
      reader.readAsDataURL(blob);
    });
  }

  // Returns the addresses of this frame's pictures, each once; how many are too small, not loaded yet or too many; where
  // this frame stands in the page; and its own frames that may show pictures, with the places and origins.
  function list(leastPixels, most) {
    pictures = [];
    let small = 0;
    let unloaded = 0;
    const byUrl = new Map();
    // Not document.images: a picture called "images" would stand in its place.
    for (const picture of Document.prototype.querySelectorAll.call(document, "img")) {
      const url = picture.currentSrc || picture.src;
      if (!url || !picture.complete) {
        unloaded += 1;
        continue;
      }
      if (Math.min(picture.naturalWidth, picture.naturalHeight) < leastPixels) {
        small += 1;
      } else if (byUrl.has(url)) {
        byUrl.get(url).push(picture);
      } else {
        byUrl.set(url, [picture]);
      }
    }
    const urls = [...byUrl.keys()];
    pictures = urls.slice(0, most).map((url) => byUrl.get(url));
    layer?.host.remove();
    layer = null;
    badges.clear();
    const frames = framesHere(leastPixels);
    return { urls: urls.slice(0, most), small, unloaded, more: Math.max(0, urls.length - most), path: pathOf(window), frames };
  }

  // Where a frame stands in the page: its number among its parent's frames, behind those of its parents. What is within
  // a shadow tree has no number.
  function pathOf(frame) {
    const path = [];
    for (; frame !== frame.parent; frame = frame.parent) {
      const { parent } = frame;
      path.unshift(Array.from({ length: parent.length }, (_, number) => parent[number]).indexOf(frame));
    }
    return path.join("/");
  }

  function framesHere(leastPixels) {
    const frames = [...Document.prototype.querySelectorAll.call(document, "iframe, frame")];
    const seen = frames.filter((frame) => {
      const { width, height } = frame.getBoundingClientRect();
      return frame.contentWindow && Math.min(width, height) >= leastPixels;
    });
    return seen.map((frame) => ({ path: pathOf(frame.contentWindow), origin: originOf(frame.src) }));
  }

  // Returns the origin of an address of the web, else "".
  function originOf(address) {
    try {
      const { origin, protocol } = new URL(address);
      return /^https?:$/.test(protocol) ? origin : "";
    } catch {
      return "";
    }
  }

  // Puts a badge on a picture of the last list, wherever it stands on the page, or changes the one that is there.
  function badge(number, text, words, fill) {
    layer ??= newLayer();
    for (const picture of pictures[number] ?? []) {
      let label = badges.get(picture);
      if (!label) {
        label = layer.root.appendChild(document.createElement("span"));
        badges.set(picture, label);
      }
      label.textContent = text;
      label.title = words;
      label.style.background = fill;
    }
    place();
    return true;
  }

  function newLayer() {
    const host = document.documentElement.appendChild(document.createElement("div"));
    host.style.cssText = "all: initial; position: absolute; left: 0; top: 0; z-index: 2147483647;";
    const root = host.attachShadow({ mode: "closed" });
    const style = new CSSStyleSheet();
    style.replaceSync(`span { position: absolute; padding: 2px 6px; border-radius: 4px; color: #fff; cursor: default;
      font: 600 12px/1.3 system-ui, sans-serif; white-space: nowrap; box-shadow: 0 0 0 1px #fff9, 0 1px 3px #0008; }`);
    root.adoptedStyleSheets = [style];
    for (const event of ["scroll", "resize"]) {
      window.addEventListener(event, () => requestAnimationFrame(place), { capture: true, passive: true });
    }
    return { host, root };
  }

  function place() {
    const origin = layer?.host.getBoundingClientRect();
    for (const [picture, label] of layer ? badges : []) {
      const box = picture.getBoundingClientRect();
      label.hidden = !picture.isConnected || box.width === 0;
      label.style.display = label.hidden ? "none" : "";
      label.style.left = `${box.left - origin.left + 4}px`;
      label.style.top = `${box.top - origin.top + 4}px`;
    }
  }

  return { read, list, badge, bounded };
})();
