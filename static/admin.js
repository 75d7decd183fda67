// Gives the admin's autocomplete boxes the name of the field they stand for.
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

  window.addEventListener("load", () => {
    nameAll();
    new MutationObserver(nameAll).observe(document.body, { childList: true, subtree: true });
  });
})();
