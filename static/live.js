// The live connection: replays what was missed from a cursor, tells the page by events on the
// body, and never claims to be live when it is not.
(() => {
  "use strict";
  const host = document.querySelector("[data-live]");
  if (!host || !host.dataset.user) return;

  const PING_EVERY = 20000;
  const PONG_WITHIN = 5000;
  const FIRST_DELAY = 200;
  const LONGEST_DELAY = 10000;
  const OFFLINE_AFTER = 3;
  const REPLAYED_TOASTS = 3;
  const SIGNED_OUT = 4401;
  const RIGHTS_CHANGED = 4403;
  const TOO_MANY = 4429;

  const words = { connecting: "Connecting", live: "Live", reconnecting: "Reconnecting", offline: "Offline" };
  const storeKey = `live:${host.dataset.user}`;
  const cursor = readCursor();

  let socket = null;
  let failures = 0;
  let retry = 0;
  let pingTimer = 0;
  let pongTimer = 0;
  let replaying = false;
  let replayed = [];
  let leaving = false;
  let refused = false;

  function readCursor() {
    const rendered = JSON.parse(host.dataset.cursor || "{}");
    try {
      // What this tab has seen, so an event between two pages is still shown.
      const stored = JSON.parse(sessionStorage.getItem(storeKey) || "{}");
      for (const stream of Object.keys(rendered)) {
        if (Number.isInteger(stored[stream])) rendered[stream] = Math.min(stored[stream], rendered[stream]);
      }
    } catch {
      // Without storage the page's own cursor serves.
    }
    return rendered;
  }

  function keepCursor() {
    try {
      sessionStorage.setItem(storeKey, JSON.stringify(cursor));
    } catch {
      // See readCursor.
    }
  }

  function show(state) {
    for (const indicator of document.querySelectorAll(".live")) {
      if (indicator.dataset.state === state) continue;
      indicator.dataset.state = state;
      indicator.querySelector("[data-live-text]").textContent = words[state];
    }
  }

  function tell(name, detail) {
    document.body.dispatchEvent(new CustomEvent(name, { bubbles: true, detail }));
  }

  function connect() {
    clearTimeout(retry);
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const mine = new WebSocket(`${scheme}//${location.host}${host.dataset.live}`);
    socket = mine;
    pongTimer = setTimeout(() => drop(mine), PONG_WITHIN * 2);
    mine.addEventListener("open", () => {
      replaying = true;
      replayed = [];
      mine.send(JSON.stringify({ type: "resume", cursor }));
    });
    mine.addEventListener("message", (message) => {
      if (mine === socket) receive(JSON.parse(message.data));
    });
    mine.addEventListener("close", (event) => drop(mine, event.code));
  }

  function receive(message) {
    alive();
    if (message.type === "event") take(message);
    else if (message.type === "caught_up") caughtUp();
    else if (message.type === "reset") reset(message);
    // "bye" is followed by a close that says why.
  }

  function take(event) {
    if (event.seq <= (cursor[event.stream] ?? 0)) return;
    cursor[event.stream] = event.seq;
    keepCursor();
    tell(`live:${event.name}`, event);
    if (!event.notify) return;
    if (replaying) replayed.push(event);
    else announce(event);
  }

  function announce(event) {
    tell("live:notify", event);
    window.toasts?.show({ title: event.title, body: event.body, url: event.url });
  }

  function caughtUp() {
    replaying = false;
    refused = false;
    failures = 0;
    show("live");
    if (replayed.length > REPLAYED_TOASTS) {
      tell("live:notify", replayed.at(-1));
      const bell = document.querySelector("#bell");
      window.toasts?.show({
        title: `${replayed.length} new notifications`,
        body: "They came in while you were away.",
        url: bell ? bell.getAttribute("href") : "",
      });
    } else {
      replayed.forEach(announce);
    }
    replayed = [];
  }

  function reset(message) {
    Object.assign(cursor, message.cursor || {});
    keepCursor();
    tell("live:reset", message);
  }

  // A connection that is silently gone answers no ping.
  function alive() {
    clearTimeout(pongTimer);
    clearTimeout(pingTimer);
    pingTimer = setTimeout(ping, PING_EVERY);
  }

  function ping() {
    if (!socket || socket.readyState !== WebSocket.OPEN) return;
    const mine = socket;
    mine.send(JSON.stringify({ type: "ping" }));
    pongTimer = setTimeout(() => drop(mine), PONG_WITHIN);
  }

  function drop(which, code) {
    if (which !== socket || leaving) return;
    socket = null;
    clearTimeout(pingTimer);
    clearTimeout(pongTimer);
    try {
      which.close();
    } catch {
      // Closed already.
    }
    if (code === SIGNED_OUT || (code === RIGHTS_CHANGED && refused)) {
      show("offline");
      window.toasts?.show({ title: "You are signed out", body: "Load the page again to sign in." });
      return;
    }
    // Rights that changed are asked for once more; a place among too many sockets is waited for.
    refused = code === RIGHTS_CHANGED;
    failures += code === TOO_MANY ? 6 : 1;
    show(failures > OFFLINE_AFTER || !navigator.onLine ? "offline" : "reconnecting");
    const ceiling = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** failures);
    retry = setTimeout(connect, FIRST_DELAY + Math.random() * (ceiling - FIRST_DELAY));
  }

  window.addEventListener("offline", () => socket && drop(socket));
  window.addEventListener("online", () => socket || connect());
  window.addEventListener("pagehide", () => {
    leaving = true;
    socket?.close();
  });
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    leaving = false;
    connect();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState !== "visible" || leaving) return;
    if (socket?.readyState === WebSocket.OPEN) ping();
    else if (!socket) connect();
  });

  connect();
})();
