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
    keepState(row.closest('[role="treegrid"]'));
    const toggle = row.querySelector(".tree-toggle");
    const loaded = under(row);
    if (!loaded.length && toggle?.hasAttribute("hx-get") && window.htmx) {
      row.setAttribute("aria-busy", "true");
      window.htmx.process(toggle); // a row that came a moment ago does not listen yet
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
    keepState(row.closest('[role="treegrid"]'));
  }

  // The address says what is open, so that a reload or a link shows the same.
  function keepState(grid) {
    const isOpen = (row) => row.getAttribute("aria-expanded") === "true" && !row.hidden;
    const ends = rowsOf(grid).filter((row) => isOpen(row) && levelOf(row) > 1 && !under(row).some(isOpen));
    const numbers = ends.map((row) => row.dataset.number).slice(-20);
    const url = new URL(location.href);
    url.searchParams.delete("open");
    if (grid.querySelector("tr.is-current")?.hidden) url.searchParams.delete("at");
    for (const number of numbers) url.searchParams.append("open", number);
    history.replaceState(history.state, "", url);
    for (const form of document.querySelectorAll("form[data-keeps-open]")) {
      for (const field of form.querySelectorAll('input[name="open"]')) field.remove();
      for (const number of numbers) {
        form.prepend(Object.assign(document.createElement("input"), { type: "hidden", name: "open", value: number }));
      }
    }
  }

  // One stop for Tab: the row one is at, then the links in it.
  function makeCurrent(grid, row) {
    for (const other of grid.querySelectorAll("tbody tr[aria-level]")) {
      other.tabIndex = other === row ? 0 : -1;
      for (const link of other.querySelectorAll("a")) link.tabIndex = other.tabIndex;
    }
  }

  function focusRow(grid, row) {
    if (!row) return;
    makeCurrent(grid, row);
    row.focus();
  }

  function prepare(root) {
    for (const grid of root.querySelectorAll('[role="treegrid"]')) {
      const row = grid.querySelector("tbody tr[tabindex='0']") ?? grid.querySelector("tbody tr.is-current");
      makeCurrent(grid, row ?? grid.querySelector("tbody tr[aria-level]"));
    }
  }

  // Letters typed within a moment find the next row whose name begins with them.
  let typed = "";
  let typedAt = 0;

  function find(grid, rows, at, letter) {
    typed = Date.now() - typedAt < 700 ? typed + letter : letter;
    typedAt = Date.now();
    const start = typed.length > 1 ? at : at + 1;
    const order = [...rows.slice(start), ...rows.slice(0, start)];
    const wanted = typed.toLowerCase();
    const name = (row) => row.querySelector(".person a")?.textContent.trim().toLowerCase() ?? "";
    focusRow(grid, order.find((row) => name(row).startsWith(wanted)));
  }

  document.addEventListener("focusin", (event) => {
    const row = event.target.closest('[role="treegrid"] tbody tr[aria-level]');
    if (row && row.tabIndex !== 0) makeCurrent(row.closest('[role="treegrid"]'), row);
  });

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
    if (row && event.key === "Escape") row.focus();
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
    if (!moves[event.key] && !/^[\p{L}\p{N}]$/u.test(event.key)) return;
    event.preventDefault();
    if (moves[event.key]) moves[event.key]();
    else find(grid, rows, at, event.key);
  });

  // Where a list goes on, whoever was at "Show more" is at the first row that came.
  let lastShown = null;
  document.addEventListener("htmx:beforeSwap", (event) => {
    const row = event.detail.target;
    lastShown = row.matches?.(".tree-more") && row.contains(document.activeElement) ? row.previousElementSibling : null;
  });

  document.addEventListener("htmx:afterSwap", (event) => {
    const first = lastShown?.nextElementSibling;
    lastShown = null;
    for (const row of document.querySelectorAll('tr[aria-busy="true"]')) row.removeAttribute("aria-busy");
    prepare(event.target.closest('[role="treegrid"]')?.parentElement ?? document);
    if (first) focusRow(first.closest('[role="treegrid"]'), first);
    if (event.target.id === "card") event.target.scrollIntoView({ block: "nearest" });
    startCanvases();
  });
  document.addEventListener("htmx:responseError", () => {
    for (const row of document.querySelectorAll('tr[aria-busy="true"]')) {
      row.removeAttribute("aria-busy");
      row.setAttribute("aria-expanded", "false");
    }
  });

  // The drawing: pan and zoom by viewBox. Seen from afar it shows first names, large.

  const NEAREST = 2;
  const FARTHEST = 0.55;
  const FAR = 0.75;

  function boxOf(svg) {
    const { x, y, width, height } = svg.viewBox.baseVal;
    return { x, y, width, height };
  }

  function setBox(svg, box) {
    svg.setAttribute("viewBox", `${box.x} ${box.y} ${box.width} ${box.height}`);
    svg.classList.toggle("is-far", svg.scale < FAR);
  }

  // The part of the plane around a point that the window shows at the scale.
  function look(svg, x, y) {
    const { width, height } = svg.getBoundingClientRect();
    if (!width || !height) return;
    const box = { width: width / svg.scale, height: height / svg.scale };
    setBox(svg, { x: x - box.width / 2, y: y - box.height / 2, ...box });
  }

  function middle(svg) {
    const box = boxOf(svg);
    return [box.x + box.width / 2, box.y + box.height / 2];
  }

  function zoom(svg, factor) {
    svg.scale = Math.min(NEAREST, Math.max(FARTHEST, svg.scale / factor));
    look(svg, ...middle(svg));
  }

  function pan(svg, dx, dy) {
    const box = boxOf(svg);
    setBox(svg, { ...box, x: box.x + dx * box.width, y: box.y + dy * box.height });
  }

  // At scale one, the marked node (else the top) in the middle: never the whole tree squeezed in.
  function centre(svg) {
    svg.scale = 1;
    const { width, height } = svg.getBoundingClientRect();
    const drawn = svg.homeBox;
    const isWhole = drawn.width <= width && drawn.height <= height;
    const node = (svg.querySelector(".node-current") ?? svg.querySelector(".node"))?.querySelector("rect");
    if (isWhole || !node) {
      look(svg, drawn.x + drawn.width / 2, drawn.y + drawn.height / 2);
      return;
    }
    const { x, y, width: wide } = node.getBBox();
    look(svg, x + wide / 2, Math.max(drawn.y, y - height / 4) + height / 2);
  }

  // Whom the keyboard reaches comes into sight.
  document.addEventListener("focusin", (event) => {
    const node = event.target.closest?.("[data-panzoom] .node");
    const svg = node?.closest("[data-panzoom]").querySelector(":scope > svg");
    const rect = node?.querySelector("rect").getBBox();
    if (!svg || !node.matches(":focus-visible")) return;
    const box = boxOf(svg);
    const isSeen =
      rect.x >= box.x && rect.y >= box.y &&
      rect.x + rect.width <= box.x + box.width && rect.y + rect.height <= box.y + box.height;
    if (!isSeen) look(svg, rect.x + rect.width / 2, rect.y + rect.height / 2);
  });

  const windows = new ResizeObserver((entries) => {
    for (const { target } of entries) look(target, ...middle(target));
  });

  function startCanvases() {
    for (const canvas of document.querySelectorAll("[data-panzoom]")) {
      const svg = canvas.querySelector(":scope > svg");
      if (!svg || svg.homeBox) continue;
      svg.homeBox = boxOf(svg);
      centre(svg);
      windows.observe(svg);
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
