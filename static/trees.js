// Genealogy by keyboard: a treegrid with arrow keys, and pan and zoom of the drawn tree.
(() => {
  "use strict";

  // The list

  const levelOf = (row) => Number(row.getAttribute("aria-level"));

  function rowsOf(grid) {
    return [...grid.querySelectorAll("tbody tr[aria-level]")].filter((row) => !row.hidden);
  }

  function under(row) {
    const found = [];
    for (let next = row.nextElementSibling; next; next = next.nextElementSibling) {
      if (next.hasAttribute("aria-level") && levelOf(next) <= levelOf(row)) break;
      found.push(next);
    }
    return found;
  }

  function parentOf(row) {
    let previous = row.previousElementSibling;
    while (previous && !(levelOf(previous) < levelOf(row))) previous = previous.previousElementSibling;
    return previous;
  }

  function open(row) {
    row.setAttribute("aria-expanded", "true");
    const toggle = row.querySelector(".tree-toggle");
    const loaded = under(row);
    if (!loaded.length && toggle?.hasAttribute("hx-get") && window.htmx) {
      row.setAttribute("aria-busy", "true");
      window.htmx.trigger(toggle, "tree:load");
      return;
    }
    let closedAt = Infinity;
    for (const child of loaded) {
      const level = child.hasAttribute("aria-level") ? levelOf(child) : levelOf(row) + 1;
      if (level <= closedAt) closedAt = Infinity;
      child.hidden = level > closedAt;
      if (!child.hidden && child.getAttribute("aria-expanded") === "false") closedAt = level;
    }
  }

  function close(row) {
    row.setAttribute("aria-expanded", "false");
    for (const child of under(row)) child.hidden = true;
  }

  function focusRow(grid, row) {
    if (!row) return;
    for (const other of grid.querySelectorAll("tr[tabindex='0']")) other.tabIndex = -1;
    row.tabIndex = 0;
    row.focus();
  }

  function prepare(root) {
    for (const grid of root.querySelectorAll('[role="treegrid"]')) {
      const rows = grid.querySelectorAll("tbody tr[aria-level]");
      rows.forEach((row) => {
        if (!row.hasAttribute("tabindex")) row.tabIndex = -1;
      });
      if (rows.length && !grid.querySelector("tr[tabindex='0']")) rows[0].tabIndex = 0;
    }
  }

  document.addEventListener("click", (event) => {
    const toggle = event.target.closest(".tree-toggle");
    const row = toggle?.closest("tr[aria-expanded]");
    if (!row || event.metaKey || event.ctrlKey) return;
    event.preventDefault();
    if (row.getAttribute("aria-expanded") === "true") close(row);
    else open(row);
  });

  document.addEventListener("keydown", (event) => {
    const row = event.target.closest('[role="treegrid"] tbody tr[aria-level]');
    if (!row || event.target !== row || event.altKey || event.ctrlKey || event.metaKey) return;
    const grid = row.closest('[role="treegrid"]');
    const rows = rowsOf(grid);
    const at = rows.indexOf(row);
    const expanded = row.getAttribute("aria-expanded");
    const moves = {
      ArrowDown: () => focusRow(grid, rows[at + 1]),
      ArrowUp: () => focusRow(grid, rows[at - 1]),
      Home: () => focusRow(grid, rows[0]),
      End: () => focusRow(grid, rows.at(-1)),
      ArrowRight: () => (expanded === "false" ? open(row) : expanded === "true" && focusRow(grid, rows[at + 1])),
      ArrowLeft: () => (expanded === "true" ? close(row) : focusRow(grid, parentOf(row))),
      Enter: () => row.querySelector("a:not(.tree-toggle)")?.click(),
    };
    if (!moves[event.key]) return;
    event.preventDefault();
    moves[event.key]();
  });

  document.addEventListener("htmx:afterSwap", (event) => {
    for (const row of document.querySelectorAll('tr[aria-busy="true"]')) row.removeAttribute("aria-busy");
    prepare(event.target.closest('[role="treegrid"]')?.parentElement ?? document);
    startCanvases();
  });
  document.addEventListener("htmx:responseError", () => {
    for (const row of document.querySelectorAll('tr[aria-busy="true"]')) {
      row.removeAttribute("aria-busy");
      row.setAttribute("aria-expanded", "false");
    }
  });

  // The drawing: pan and zoom by viewBox

  function boxOf(svg) {
    const { x, y, width, height } = svg.viewBox.baseVal;
    return { x, y, width, height };
  }

  function setBox(svg, box) {
    svg.setAttribute("viewBox", `${box.x} ${box.y} ${box.width} ${box.height}`);
  }

  function zoom(svg, factor) {
    const box = boxOf(svg);
    const home = svg.homeBox;
    const width = Math.min(home.width * 4, Math.max(home.width / 8, box.width * factor));
    const height = (box.height * width) / box.width;
    setBox(svg, { x: box.x + (box.width - width) / 2, y: box.y + (box.height - height) / 2, width, height });
  }

  function pan(svg, dx, dy) {
    const box = boxOf(svg);
    setBox(svg, { ...box, x: box.x + dx * box.width, y: box.y + dy * box.height });
  }

  // At scale one, the marked node (else the top) in the middle: never the whole tree squeezed in.
  function centre(svg) {
    const { width, height } = svg.getBoundingClientRect();
    const drawn = svg.homeBox;
    if (!width || !height) return;
    const node = svg.querySelector(".node-current") ?? svg.querySelector(".node");
    const box = { width, height };
    let middle = drawn.x + drawn.width / 2;
    let top = drawn.height < height ? drawn.y - (height - drawn.height) / 2 : drawn.y;
    if (node && (drawn.width > box.width || drawn.height > box.height)) {
      const own = svg.getScreenCTM().inverse();
      const rect = node.getBoundingClientRect();
      const point = new DOMPoint(rect.x + rect.width / 2, rect.y).matrixTransform(own);
      middle = point.x;
      top = Math.max(drawn.y, point.y - box.height / 4);
    }
    setBox(svg, { x: middle - box.width / 2, y: top, ...box });
  }

  function startCanvases() {
    for (const canvas of document.querySelectorAll("[data-panzoom]")) {
      const svg = canvas.querySelector(":scope > svg");
      if (!svg || svg.homeBox) continue;
      svg.homeBox = boxOf(svg);
      centre(svg);
      canvas.tabIndex = 0;
      if (!canvas.hasAttribute("role")) canvas.setAttribute("role", "group");
      drag(svg);
    }
  }

  function drag(svg) {
    let from = null;
    let moved = false;
    svg.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      from = { x: event.clientX, y: event.clientY, box: boxOf(svg), id: event.pointerId };
      moved = false;
    });
    svg.addEventListener("pointermove", (event) => {
      if (!from) return;
      const dx = event.clientX - from.x;
      const dy = event.clientY - from.y;
      if (!moved && Math.hypot(dx, dy) < 5) return;
      if (!moved) svg.setPointerCapture(from.id);
      moved = true;
      const perPixel = from.box.width / svg.getBoundingClientRect().width;
      setBox(svg, { ...from.box, x: from.box.x - dx * perPixel, y: from.box.y - dy * perPixel });
    });
    const stop = () => {
      from = null;
    };
    svg.addEventListener("pointerup", stop);
    svg.addEventListener("pointercancel", stop);
    svg.addEventListener("dragstart", (event) => event.preventDefault());
    svg.addEventListener("click", (event) => {
      if (!moved) return;
      event.preventDefault();
      event.stopPropagation();
      moved = false;
    }, true);
    svg.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      zoom(svg, event.deltaY > 0 ? 1.12 : 1 / 1.12);
    }, { passive: false });
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-zoom]");
    const svg = button?.closest("[data-panzoom]")?.querySelector(":scope > svg");
    if (!svg) return;
    if (button.dataset.zoom === "reset") {
      setBox(svg, svg.homeBox);
      centre(svg);
    } else {
      zoom(svg, button.dataset.zoom === "in" ? 1 / 1.25 : 1.25);
    }
  });

  document.addEventListener("keydown", (event) => {
    if (!event.target.matches?.("[data-panzoom]")) return;
    const svg = event.target.querySelector(":scope > svg");
    const moves = {
      ArrowLeft: () => pan(svg, -0.1, 0),
      ArrowRight: () => pan(svg, 0.1, 0),
      ArrowUp: () => pan(svg, 0, -0.1),
      ArrowDown: () => pan(svg, 0, 0.1),
      "+": () => zoom(svg, 1 / 1.25),
      "=": () => zoom(svg, 1 / 1.25),
      "-": () => zoom(svg, 1.25),
      0: () => centre(svg),
    };
    if (!moves[event.key] || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    moves[event.key]();
  });

  document.addEventListener("DOMContentLoaded", () => {
    prepare(document);
    startCanvases();
  });
})();
