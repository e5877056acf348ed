// Puts the check of a picture into the menu of a right click.

importScripts("kept.js");

const MENU_ITEM = "check-picture";

chrome.storage.local.setAccessLevel({ accessLevel: "TRUSTED_CONTEXTS" }); // the key is no business of any page

chrome.runtime.onInstalled.addListener(() => {
  chrome.contextMenus.create({ id: MENU_ITEM, title: "Check this picture with fauxto", contexts: ["image"] });
});

chrome.contextMenus.onClicked.addListener((info, tab) => openCheck(info, tab));

function openCheck(info, tab) {
  return fauxtoKept.openCheck({ tab: tab?.id ?? null, frame: info.frameId ?? 0, url: info.srcUrl });
}
