/* Run in a page of the book: everything on it that a reader could not read, as lines of text. */
() => {
  const article = document.querySelector(".bd-article");
  const problems = [];
  const PHONE = 720;
  const name = (element) => {
    const text = (element.textContent || "").trim().replace(/\s+/g, " ").slice(0, 40);
    return `<${element.tagName.toLowerCase()}${element.className ? ` class="${element.className.baseVal ?? element.className}"` : ""}> ${text}`;
  };
  const style = (element) => getComputedStyle(element);
  const scrolls = (element) => ["auto", "scroll"].includes(style(element).overflowX);
  const shown = (element) => {
    const { width, height } = element.getBoundingClientRect();
    return width > 1 && height > 1 && style(element).visibility !== "hidden";
  };
  const inScroller = (element) => {
    for (let up = element.parentElement; up && up !== article; up = up.parentElement) if (scrolls(up)) return true;
    return false;
  };
  // A formula is measured as the drawing that it is: around it stands the same once more, for screen readers.
  const ignored = "mjx-assistive-mml, mjx-assistive-mml *, span.math, mjx-container, .headerlink, script, style, svg *, option";

  if (document.documentElement.scrollWidth > innerWidth) {
    problems.push(`the page is ${document.documentElement.scrollWidth} pixels wide, the window ${innerWidth}`);
  }

  // Nothing is wider than the column, unless it scrolls by itself.
  const column = article.getBoundingClientRect();
  for (const element of article.querySelectorAll("*")) {
    if (element.matches(ignored) || !shown(element)) continue;
    const { left, right } = element.getBoundingClientRect();
    if ((right > column.right + 1 || left < column.left - 1) && !inScroller(element)) {
      problems.push(`cut: ${name(element)} reaches to ${right.toFixed(0)} of ${column.right.toFixed(0)}`);
    }
    const hides = ["hidden", "clip"].includes(style(element).overflowX);
    if (hides && element.clientWidth > 1 && element.scrollWidth > element.clientWidth + 1) {
      problems.push(`cut inside: ${name(element)} shows ${element.clientWidth} of ${element.scrollWidth}`);
    }
  }
  for (const formula of article.querySelectorAll("mjx-container > svg")) {
    const box = formula.closest("div.math") ?? article;
    // What lies left of a box cannot be scrolled into it.
    if (formula.getBoundingClientRect().left + box.scrollLeft < box.getBoundingClientRect().left - 1) {
      problems.push(`cut formula at its start: ${name(formula.closest(".math"))}`);
    }
    if (!scrolls(box) && formula.getBoundingClientRect().right > box.getBoundingClientRect().right + 1) {
      problems.push(`cut formula: ${name(formula.closest(".math"))}`);
    }
  }
  for (const table of article.querySelectorAll("table")) {
    if (!shown(table)) continue;
    let box = table.parentElement;
    while (box !== article && !scrolls(box)) box = box.parentElement;
    if (table.getBoundingClientRect().width <= box.clientWidth + 1) continue;
    // On a phone a table may scroll sideways, while the names of its rows stay and leave room for the numbers.
    const rowName = table.querySelector("tbody th");
    const staysPut = rowName && style(rowName).position === "sticky" && rowName.offsetWidth < 0.6 * box.clientWidth;
    if (!(innerWidth <= PHONE && box !== article && staysPut)) {
      problems.push(`table of ${table.offsetWidth} pixels in ${box.clientWidth}: ${name(table)}`);
    }
  }

  // Words end where lines do, and formulas are drawn.
  const walker = document.createTreeWalker(article, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  const top = (node, at) => {
    range.setStart(node, at);
    range.setEnd(node, at + 1);
    return range.getClientRects()[0]?.top;
  };
  while (walker.nextNode()) {
    const node = walker.currentNode, parent = node.parentElement;
    if (parent.closest(ignored) || !shown(parent)) continue;
    const code = parent.closest("pre, code");
    if (!code && /\\(begin|frac|sigma|odot|sum|text|times|tag|mathrm)\b|\$\$/.test(node.data)) {
      problems.push(`raw TeX: ${node.data.trim().slice(0, 60)}`);
    }
    for (const { 0: word, index } of node.data.matchAll(/[\p{L}\p{N}_]{2,}/gu)) {
      if (parent.closest("pre")) continue;
      const first = top(node, index), last = top(node, index + word.length - 1);
      if (first !== undefined && last !== undefined && last > first + 6) problems.push(`broken word: ${word} in ${name(parent)}`);
    }
  }
  if (article.innerText.includes("Traceback (most recent call last)")) problems.push("a traceback");
  return [...new Set(problems)];
}
