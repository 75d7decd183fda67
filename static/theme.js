// Sets the chosen theme before the first paint. The key and its values are those of the Django
// admin (auto, light, dark), so portal and admin agree. Without script the system decides.
(() => {
  "use strict";
  const root = document.documentElement;
  const known = new Set(["auto", "light", "dark"]);

  function stored() {
    try {
      const theme = localStorage.getItem("theme");
      return known.has(theme) ? theme : "auto";
    } catch {
      return "auto";
    }
  }

  function show(theme) {
    root.dataset.theme = theme;
    for (const button of document.querySelectorAll("[data-set-theme]")) {
      button.setAttribute("aria-pressed", String(button.dataset.setTheme === theme));
    }
  }

  show(stored());
  document.addEventListener("DOMContentLoaded", () => show(stored()));
  window.addEventListener("storage", (event) => {
    if (event.key === "theme") show(stored());
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-set-theme]");
    if (!button) return;
    try {
      localStorage.setItem("theme", button.dataset.setTheme);
    } catch {
      // Storage may be refused; the choice then holds for this page.
    }
    show(button.dataset.setTheme);
  });
})();
