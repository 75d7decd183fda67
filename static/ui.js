// What the components need of script: dialogs, menus, toasts, copy buttons, htmx manners.
// Pages work without it; trees have their own file.
(() => {
  "use strict";

  // Dialogs: an opener is a link to the same form as a page

  function dialogOf(opener) {
    const dialog = document.getElementById(opener.dataset.dialog);
    return dialog instanceof HTMLDialogElement ? dialog : null;
  }

  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-dialog]");
    const dialog = opener && dialogOf(opener);
    if (dialog && !event.metaKey && !event.ctrlKey) {
      event.preventDefault();
      dialog.showModal();
      return;
    }
    const closer = event.target.closest("[data-dialog-close]");
    if (closer) {
      event.preventDefault();
      closer.closest("dialog")?.close();
      return;
    }
    if (event.target instanceof HTMLDialogElement && event.target.open) {
      const box = event.target.getBoundingClientRect();
      const inside =
        event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
      if (!inside) event.target.close();
    }
  });

  // A question that is open is not swapped away: what holds it catches up when it is closed

  document.addEventListener("htmx:beforeSwap", (event) => {
    if (!event.detail.target.querySelector("dialog[open]")) return;
    event.detail.shouldSwap = false;
    event.detail.target.dataset.behind = "yes";
  });
  document.addEventListener(
    "close",
    (event) => {
      if (!event.target.closest("[data-behind]")) return;
      document.body.dispatchEvent(new CustomEvent("live:reset", { bubbles: true }));
    },
    true,
  );

  // Menus: details that close on Escape, on a click elsewhere, and when focus leaves

  function closeMenus(except) {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (menu !== except) menu.open = false;
    }
  }

  document.addEventListener("click", (event) => closeMenus(event.target.closest("details.menu")));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = document.querySelector("details.menu[open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
  document.addEventListener("focusout", (event) => {
    const menu = event.target.closest("details.menu[open]");
    if (menu && event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
  });

  // Toasts: four at most, resting while they are read

  const MOST = 4;
  const READING_TIME = 7000;

  const toasts = {
    show({ title = "", body = "", url = "" }) {
      const region = document.getElementById("toasts");
      const template = document.getElementById("toast-template");
      if (!region || !template) return;
      const toast = template.content.firstElementChild.cloneNode(true);
      const heading = toast.querySelector(".toast-title");
      if (url && url.startsWith("/")) {
        const link = document.createElement("a");
        link.href = url;
        link.textContent = title;
        heading.append(link);
      } else {
        heading.textContent = title;
      }
      toast.querySelector(".toast-body").textContent = body;
      region.append(toast);
      while (region.children.length > MOST) region.firstElementChild.remove();
      rest(toast);
    },
  };
  window.toasts = toasts;

  function rest(toast) {
    let timer = 0;
    const start = () => {
      clearTimeout(timer);
      timer = setTimeout(() => toast.remove(), READING_TIME);
    };
    const hold = () => clearTimeout(timer);
    toast.addEventListener("pointerenter", hold);
    toast.addEventListener("focusin", hold);
    toast.addEventListener("pointerleave", start);
    toast.addEventListener("focusout", start);
    start();
  }

  document.addEventListener("click", (event) => {
    event.target.closest("[data-toast-close]")?.closest("[data-toast]")?.remove();
  });

  // Table frames: a stop for the keyboard only where there is something to scroll

  const frames = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const scrolls = target.scrollWidth > target.clientWidth || target.scrollHeight > target.clientHeight;
      if (scrolls) target.tabIndex = 0;
      else target.removeAttribute("tabindex");
    }
  });

  function watchFrames(root) {
    root.querySelectorAll(".table-frame, .tabular fieldset").forEach((frame) => frames.observe(frame));
  }

  document.addEventListener("DOMContentLoaded", () => watchFrames(document));
  document.addEventListener("htmx:load", (event) => watchFrames(event.target.parentElement ?? document));

  // Copy

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      toasts.show({ title: "Copied", body: button.dataset.copy });
    } catch {
      toasts.show({ title: "Copying was not allowed", body: button.dataset.copy });
    }
  });

  // Print

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-print]")) window.print();
  });

  // Forms: errors take the focus, and nothing is sent twice

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelector("[data-error-summary]")?.focus();
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || event.defaultPrevented) return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    setTimeout(() => delete form.dataset.sent, 4000);
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submit-on-change] :is(select, input)")) {
      event.target.form.requestSubmit();
    }
  });

  // htmx: the token goes along, and a failure is said

  document.addEventListener("htmx:configRequest", (event) => {
    const token = document.querySelector('meta[name="csrf-token"]');
    if (token && event.detail.verb !== "get") event.detail.headers["X-CSRFToken"] = token.content;
  });
  document.addEventListener("htmx:responseError", (event) => {
    if ([401, 403].includes(event.detail.xhr.status)) return;
    toasts.show({ title: "That did not work", body: "Please try again in a moment." });
  });
  document.addEventListener("htmx:sendError", () => {
    toasts.show({ title: "No connection", body: "The page could not reach the server." });
  });
})();
