/* Gate stepper: choose a pixel of a series and step through its dates (Eq. 3).
 *
 * Data: { size: [height, width], dates, filter, points: { NAME: [row, column] },
 *         images: (dates, height, width, 3), quantities: { NDVI, i, f, o, C, H } }
 * A quantity is { step, steps }: (dates, height, width) 16-bit whole numbers of steps.
 */
"use strict";

parts.gates = (() => {
  const PANELS = [{ names: ["NDVI", "i", "f", "o"], low: 0, high: 1 }, { names: ["C", "H"] }];
  const WIDTH = 360, HEIGHT = 150, LEFT = 34, RIGHT = 52, TOP = 10, BOTTOM = 26;
  const VIRIDIS = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];
  /* As in the still figures of the page. */
  const BLUE_RED = [[33, 102, 172], [146, 197, 222], [247, 247, 247], [244, 165, 130], [178, 24, 43]];

  const MEANING = { Image: "Sentinel-2 in true colour", NDVI: "NDVI, how green", i: "Input gate i", f: "Forget gate f",
    o: "Output gate o", C: "Cell C", H: "Hidden state H" };

  /** The values of a quantity. */
  async function values({ step, steps }) {
    const { buffer } = await parts.bytes(steps);
    return Float32Array.from(new Int16Array(buffer), (whole) => whole * step);
  }

  /** A colour between those of a list, for a share from 0 to 1. */
  function between(colors, share) {
    const at = Math.min(1, Math.max(0, share)) * (colors.length - 1), low = Math.min(Math.floor(at), colors.length - 2);
    return colors[low].map((from, i) => from + (at - low) * (colors[low + 1][i] - from));
  }

  /** Eq. 3 at one pixel and date, from the gates, the cell now and before, and the hidden state. */
  function equation({ f, o, C, H }, before) {
    const n = (value) => value.toFixed(2).replace("-", "\u2212");
    const enters = C - f * before;
    return [
      `C = f × C before + i × new content = ${n(f)} × ${n(before)} ${enters < 0 ? "\u2212" : "+"} ${Math.abs(enters).toFixed(2)} = ${n(C)}`,
      `H = o × tanh C = ${n(o)} × ${n(Math.tanh(C))} = ${n(H)}`,
    ];
  }

  async function unpack(data) {
    const [height, width] = data.size;
    const series = { pixels: height * width, width, height, images: await parts.bytes(data.images), of: {} };
    for (const [name, quantity] of Object.entries(data.quantities)) {
      series.of[name] = await values(quantity);
    }
    series.at = (name, date, pixel) => series.of[name][date * series.pixels + pixel];
    return series;
  }

  /** Four bytes a pixel: the image of a date, or a quantity in colours. */
  function paint(series, shown, date) {
    const pixels = new Uint8ClampedArray(4 * series.pixels).fill(255), from = date * series.pixels;
    const signed = shown === "C" || shown === "H", largest = shown === "C" ? series.limit : 1;
    for (let i = 0; i < series.pixels; i++) {
      const color = shown === "Image" ? series.images.subarray(3 * (from + i), 3 * (from + i) + 3)
        : signed ? between(BLUE_RED, 0.5 + series.of[shown][from + i] / (2 * largest))
          : between(VIRIDIS, series.of[shown][from + i]);
      pixels.set(color, 4 * i);
    }
    return pixels;
  }

  const reach = (numbers) => numbers.reduce((most, number) => Math.max(most, Math.abs(number)), 0);

  function drawPanel({ names, low, high }, series, dates, state) {
    // One range for all named places, so that their curves can be compared; a pixel beyond it gets a larger one.
    const here = names.flatMap((name) => dates.map((_, date) => series.at(name, date, state.pixel)));
    const limit = Math.max(series.limit, Math.ceil(reach(here)));
    const bottom = low ?? -limit, top = high ?? limit;
    const x = (date) => LEFT + (date * (WIDTH - LEFT - RIGHT)) / (dates.length - 1);
    const y = (value) => HEIGHT - BOTTOM - ((value - bottom) * (HEIGHT - TOP - BOTTOM)) / (top - bottom);
    const svg = parts.svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "curves", role: "img",
      "aria-label": `${names.join(", ")} at the pixel over the dates` });
    for (const value of [...new Set([bottom, 0, top])]) {
      svg.append(parts.svg("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: y(value), y2: y(value) }),
        parts.svg("text", { x: LEFT - 4, y: y(value), dy: "0.35em", "text-anchor": "end" }, String(Math.round(value * 10) / 10).replace("-", "\u2212")));
    }
    svg.append(parts.svg("line", { class: "now", x1: x(state.date), x2: x(state.date), y1: TOP, y2: HEIGHT - BOTTOM }));
    for (const [date, anchor] of [[0, "start"], [dates.length - 1, "end"]]) {
      svg.append(parts.svg("text", { x: x(date), y: HEIGHT - 6, "text-anchor": anchor }, dates[date]));
    }
    const ends = apart(names.map((name) => y(series.at(name, dates.length - 1, state.pixel))), 14);
    names.forEach((name, k) => {
      const points = dates.map((_, date) => `${x(date).toFixed(1)} ${y(series.at(name, date, state.pixel)).toFixed(1)}`);
      svg.append(parts.svg("path", { d: `M${points.join("L")}`, style: `stroke: var(--q-${name})`,
        "stroke-dasharray": name === "NDVI" ? "5 3" : false }));
      svg.append(parts.svg("text", { x: WIDTH - RIGHT + 6, y: ends[k], dy: "0.35em", style: `fill: var(--q-${name}); font-weight: 600` }, name));
    });
    return parts.readable(svg);
  }

  /** Heights of labels, moved so that no two are nearer than `least`, and none leaves the drawing. */
  function apart(heights, least) {
    const order = heights.map((_, i) => i).sort((a, b) => heights[a] - heights[b]);
    const placed = [...heights];
    order.forEach((i, k) => { if (k) placed[i] = Math.max(placed[i], placed[order[k - 1]] + least); });
    const over = Math.max(0, placed[order[order.length - 1]] - (HEIGHT - BOTTOM));
    return placed.map((height) => height - over);
  }

  async function mount(box, data) {
    const series = await unpack(data), { width, height } = series;
    const named = Object.values(data.points).map(([row, column]) => row * width + column);
    const cells = named.flatMap((pixel) => data.dates.map((_, date) => series.at("C", date, pixel)));
    series.limit = Math.ceil(Math.max(1, reach(cells)));
    const state = { shown: "Image", date: 0 };
    const canvas = parts.html("canvas", { role: "img" }), spot = parts.html("i");
    const curves = parts.html("div"), numbers = parts.html("div", { class: "equation", "aria-live": "polite" });
    const set = (changes) => { Object.assign(state, changes); update(); };

    const pixelOf = (name) => data.points[name][0] * width + data.points[name][1];
    const move = (down, right) => {
      const row = Math.min(height - 1, Math.max(0, Math.floor(state.pixel / width) + down));
      const column = Math.min(width - 1, Math.max(0, (state.pixel % width) + right));
      set({ pixel: row * width + column });
    };
    const arrows = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const press = (event) => {
      if (!(event.key in arrows)) return;
      event.preventDefault();
      move(...arrows[event.key]);
    };
    const choices = parts.choice("Shown", ["Image", ...Object.keys(data.quantities)], (shown) => set({ shown }));
    const places = parts.choice("Place", Object.keys(data.points), (name) => set({ pixel: pixelOf(name) }));
    const last = data.dates.length - 1;
    const dates = parts.slider("Date", { min: 0, max: last, value: 0 }, (date) => set({ date }), (date) => data.dates[date]);
    const go = (by) => () => {
      const date = Math.min(last, Math.max(0, state.date + by));
      dates.set(date);
      set({ date });
    };
    const click = ({ clientX, clientY }) => {
      const { left, top, width: wide, height: high } = canvas.getBoundingClientRect();
      const [r, c] = [((clientY - top) / high) * height, ((clientX - left) / wide) * width].map(Math.floor);
      if (r >= 0 && c >= 0 && r < height && c < width) set({ pixel: r * width + c });
    };

    const scale = parts.html("p", { class: "scale" });
    const showScale = () => {
      const signed = state.shown === "C" || state.shown === "H";
      const largest = state.shown === "C" ? series.limit : 1, colors = signed ? BLUE_RED : VIRIDIS;
      const ramp = colors.map((color) => `rgb(${color.join()})`).join(", ");
      const ends = [signed ? -largest : 0, largest].map((end) => end.toFixed(signed ? 1 : 0).replace("-", "\u2212"));
      scale.replaceChildren(...(state.shown === "Image" ? [MEANING.Image] : [`${MEANING[state.shown]}: ${ends[0]} `,
        parts.html("i", { style: `background: linear-gradient(to right, ${ramp})` }), ` ${ends[1]}`]));
    };

    function update() {
      showScale();
      parts.draw(canvas, paint(series, state.shown, state.date), width, height);
      canvas.setAttribute("aria-label", `${state.shown}, ${data.dates[state.date]}`);
      spot.style.top = `${(100 * (Math.floor(state.pixel / width) + 0.5)) / height}%`;
      spot.style.left = `${(100 * ((state.pixel % width) + 0.5)) / width}%`;
      choices.press((name) => name === state.shown);
      places.press((name) => pixelOf(name) === state.pixel);
      curves.replaceChildren(...PANELS.map((panel) => drawPanel(panel, series, data.dates, state)));
      const now = Object.fromEntries(Object.keys(series.of).map((name) => [name, series.at(name, state.date, state.pixel)]));
      const before = state.date ? series.at("C", state.date - 1, state.pixel) : 0;
      numbers.replaceChildren(
        parts.html("p", {}, `${data.dates[state.date]}: ${Object.entries(now).map(([name, value]) => `${name} ${value.toFixed(2).replace("-", "\u2212")}`).join(", ")}`),
        ...equation(now, before).map((line) => parts.html("p", {}, line)));
    }

    box.append(
      places.box,
      parts.html("div", { class: "controls dates" }, parts.button("‹", go(-1), { "aria-label": "Date before" }),
        dates.box, parts.button("›", go(1), { "aria-label": "Date after" })),
      choices.box,
      parts.html("div", { class: "sides" },
        parts.html("div", {},
          parts.html("div", { class: "stage", onclick: click, onkeydown: press, tabindex: 0, role: "application",
            "aria-label": "Image; arrow keys choose a pixel" }, canvas, spot), scale),
        parts.html("div", {}, curves, numbers)));
    set({ pixel: pixelOf(Object.keys(data.points)[0]) });
  }

  return { mount, values, between, equation, apart };
})();
