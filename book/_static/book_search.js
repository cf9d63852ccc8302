/* The search page, better than Sphinx makes it: chapters before the glossary and the library, the
 * page that has most to say first, and a line of text with each result, also in a book opened from disk.
 * The texts of all pages are in `search_texts.js`.
 */
"use strict";

/** How often the words occur in a page. */
function occurrences(page, words) {
  const text = (window.searchTexts?.[page] ?? "").toLowerCase();
  let count = 0;
  for (const word of words) count += text.split(word.toLowerCase()).length - 1;
  return count;
}

/** Order results for display; Sphinx shows the last of the list first. */
function rankResults(results, query, words) {
  const GLOSSARY = 1, LIBRARY = 2;
  const kind = ([docname, , , description]) => {
    if (docname === "terms") return GLOSSARY;
    return description || docname.startsWith("api") ? LIBRARY : 0;
  };
  const rank = ([docname, , , , score]) => {
    const page = `${docname}.html`;
    // A page that holds the words in a row is about them; one that holds them apart may not be.
    return score + occurrences(page, words) + 5 * occurrences(page, [query]);
  };
  // The glossary is found as a page, and by each entry of its index: the entry is enough.
  const glossary = results.filter((result) => kind(result) === GLOSSARY);
  const entry = glossary.find(([, , anchor]) => anchor) ?? glossary[0];
  const once = results.filter((result) => kind(result) !== GLOSSARY || result === entry);
  return once.sort((a, b) => kind(b) - kind(a) || rank(a) - rank(b));
}

/** The words of a page as a reader sees them, without its code. */
function proseOf(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  page.querySelectorAll("script, style, pre, .headerlink").forEach((element) => element.remove());
  return (page.querySelector('[role="main"]')?.textContent ?? "").replace(/\s+/g, " ");
}

/** Quote the line around the query, or null where the page does not hold its words in a row. */
function quote(html, query) {
  const BEFORE = 100, LENGTH = 240;
  const text = proseOf(html);
  const place = text.toLowerCase().indexOf(query.toLowerCase());
  if (!query || place < 0) return null;
  // Begin with a whole word.
  const start = place <= BEFORE ? 0 : text.indexOf(" ", place - BEFORE) + 1;
  const paragraph = document.createElement("p");
  paragraph.classList.add("context");
  const more = start + LENGTH < text.length ? "..." : "";
  paragraph.textContent = `${start ? "..." : ""}${text.slice(start, start + LENGTH).trim()}${more}`;
  return paragraph;
}

// Before Sphinx starts its search: this script stands before its own.
document.addEventListener("DOMContentLoaded", () => {
  const search = Search._performSearch;
  const summarise = Search.makeSearchSummary;
  let asked = "";
  Search._performSearch = (query, terms, excluded, words, objects) => {
    asked = query.trim();
    return rankResults(search(query, terms, excluded, words, objects), asked, words);
  };
  Search.makeSearchSummary = (html, words, anchor) => quote(html, asked) ?? summarise(html, words, anchor);
});

if (location.protocol === "file:" && window.searchTexts) {
  const fromNetwork = window.fetch.bind(window);
  window.fetch = (request, ...options) => {
    const address = decodeURI(String(request.url ?? request)).replace(/[?#].*$/, "");
    const page = Object.keys(window.searchTexts).find((name) => address.endsWith(name));
    if (page === undefined) return fromNetwork(request, ...options);
    const main = document.createElement("div");
    main.setAttribute("role", "main");
    main.textContent = window.searchTexts[page];
    return Promise.resolve(new Response(main.outerHTML, { headers: { "Content-Type": "text/html" } }));
  };
}
