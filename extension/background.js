// Opens the window in which pictures are checked: it lives as long as the check, which a service worker may not.

const MENU_ITEM = "check-picture";

chrome.storage.local.setAccessLevel({ accessLevel: "TRUSTED_CONTEXTS" }); // the key is no business of any page

chrome.runtime.onInstalled.addListener(() => {
  chrome.contextMenus.create({ id: MENU_ITEM, title: "Check this picture with fauxto", contexts: ["image"] });
});

chrome.contextMenus.onClicked.addListener((info, tab) => openCheck(info, tab));

async function openCheck(info, tab) {
  const id = crypto.randomUUID();
  const job = { tab: tab?.id ?? null, frame: info.frameId ?? 0, url: info.srcUrl };
  await chrome.storage.session.set({ [`job:${id}`]: job }).catch(async () => {
    await chrome.storage.session.clear(); // full of earlier reports
    await chrome.storage.session.set({ [`job:${id}`]: job });
  });
  await chrome.windows.create({ url: `check.html#${id}`, type: "popup", width: 480, height: 680 });
}
