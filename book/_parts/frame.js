/* The interactive parts of the book.
 *
 * A page holds <figure class="live" data-part="NAME">: a still figure, and the part's data as JSON.
 * NAME.js sets parts.NAME = { mount(box, data), ... }: `mount` fills an empty box and takes the place
 * of the still figure; the pure functions that it draws from stand beside it, so that tests call them.
 * These are plain scripts: a page opened from disk is not allowed to load modules.
 */
"use strict";

const parts = {
  /** An HTML element; attributes that start with "on" are listeners, children are nodes or text. */
  html(tag, attributes = {}, ...children) {
    return parts.fill(document.createElement(tag), attributes, children);
  },

  /** The same for SVG. */
  svg(tag, attributes = {}, ...children) {
    return parts.fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
  },

  fill(element, attributes, children) {
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (value !== false && value != null) element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children);
    return element;
  },

  /** A labelled slider. `show` turns its value into the text beside it; `onChange` gets the value. */
  slider(label, { min, max, step = 1, value }, onChange, show = String) {
    const shown = parts.html("output", {}, show(value));
    const changed = (event) => {
      const now = Number(event.target.value);
      shown.textContent = show(now);
      onChange(now);
    };
    const input = parts.html("input", { type: "range", min, max, step, value, oninput: changed });
    input.value = value;
    const set = (now) => { input.value = now; shown.textContent = show(now); };
    return { box: parts.html("label", { class: "slider" }, parts.html("span", {}, label), input, shown), input, set };
  },

  /** A button. */
  button(text, onClick, attributes = {}) {
    return parts.html("button", { type: "button", onclick: onClick, ...attributes }, text);
  },

  /** A drawing whose text keeps its size in pixels, however narrow the page. */
  readable(svg) {
    const fit = () => {
      const wide = svg.getBoundingClientRect().width;
      if (wide) svg.style.setProperty("--px", `${svg.viewBox.baseVal.width / wide}px`);
    };
    new ResizeObserver(fit).observe(svg);
    return svg;
  },

  /** A group of buttons; `press` tells of each name whether its button is pressed. */
  choice(label, names, onClick) {
    const buttons = names.map((name) => parts.button(name, () => onClick(name)));
    const press = (is) => buttons.forEach((button, i) => button.setAttribute("aria-pressed", is(names[i])));
    return { box: parts.html("div", { class: "controls", role: "group", "aria-label": label }, ...buttons), press };
  },

  /** Names, each after a square of its colour. */
  swatches(colors) {
    return Object.entries(colors).map(([name, color]) => parts.html("span", {},
      parts.html("i", { class: "swatch", style: `background: ${color}` }), name));
  },

  /** Put pixels of four bytes onto a canvas. */
  draw(canvas, pixels, width, height) {
    Object.assign(canvas, { width, height });
    canvas.getContext("2d").putImageData(new ImageData(pixels, width, height), 0, 0);
  },

  /** Bytes that the library packed: compressed, then written as text. */
  async bytes(text) {
    const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  },

  /** 8157 as "8,157". */
  count(number) {
    return number.toLocaleString("en");
  },

  /** Data of parts by key, which scripts beside the pages fill in. */
  data: {},

  /** Above so many bytes of data a reader is asked first. */
  LARGE: 300_000,

  /** The data of a part: from inside the page, or from a script beside it. */
  async read(script) {
    const { src, key } = script.dataset;
    if (!src) return JSON.parse(script.textContent);
    if (!(key in parts.data)) {
      await new Promise((loaded, failed) => {
        document.head.append(parts.html("script", { src, onload: loaded, onerror: failed }));
      });
    }
    return parts.data[key];
  },

  /** Put the part of a figure in the place of its still figure, which stays where the part fails. */
  async start(figure) {
    const box = parts.html("div", { class: "live-box" });
    const data = await parts.read(figure.querySelector('script[type="application/json"]'));
    await parts[figure.dataset.part].mount(box, data);
    figure.prepend(box);
    figure.classList.add("started");
  },

  /** Start a part at once, or offer to, where its data is large. */
  offer(figure) {
    const bytes = Number(figure.querySelector('script[type="application/json"]').dataset.bytes ?? 0);
    if (bytes < parts.LARGE) return parts.start(figure);
    const open = parts.button(`Open the interactive figure (${(bytes / 1e6).toFixed(1)} MB)`, async () => {
      open.disabled = true;
      await parts.start(figure);
      open.remove();
      figure.querySelector("button, input")?.focus();
    }, { class: "live-open" });
    figure.prepend(open);
  },
};

document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("figure.live").forEach(parts.offer);
});
