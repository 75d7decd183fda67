// Names the admin's autocomplete boxes after their fields, and turns the filters of a change list
// into drop-downs above it where there is no room beside it.
(() => {
  "use strict";

  function name(box) {
    const select = box.closest(".select2-container")?.previousElementSibling;
    const label = select?.id && document.querySelector(`label[for="${CSS.escape(select.id)}"]`);
    const text = label?.textContent.trim().replace(/:$/, "") || select?.getAttribute("aria-label") || "Choose";
    for (const part of [box, ...box.querySelectorAll('[role="textbox"], [role="searchbox"]')]) {
      part.removeAttribute("aria-labelledby");
      part.setAttribute("aria-label", text);
    }
  }

  function nameAll() {
    document.querySelectorAll(".select2-selection:not([aria-label])").forEach(name);
  }

  const beside = window.matchMedia("(width >= 100rem)");

  function closeFilters(filters, except) {
    for (const filter of filters) if (filter !== except) filter.open = false;
  }

  function sayChoice(filter) {
    const chosen = filter.querySelector("li.selected");
    if (!chosen || chosen === filter.querySelector("li")) return;
    const words = document.createElement("span");
    words.className = "filter-choice";
    words.textContent = chosen.textContent.trim();
    filter.querySelector("summary").append(words);
  }

  function prepareFilters() {
    const panel = document.getElementById("changelist-filter");
    if (!panel) return;
    const filters = [...panel.querySelectorAll("details")];
    filters.forEach(sayChoice);
    if (beside.matches) return;
    panel.parentElement.prepend(panel);
    closeFilters(filters);
    document.addEventListener("click", (event) => closeFilters(filters, event.target.closest("details")));
    panel.addEventListener("keydown", (event) => {
      const open = event.key === "Escape" && filters.find((filter) => filter.open);
      if (!open) return;
      open.open = false;
      open.querySelector("summary").focus();
    });
  }

  window.addEventListener("load", () => {
    nameAll();
    prepareFilters();
    new MutationObserver(nameAll).observe(document.body, { childList: true, subtree: true });
  });
})();
