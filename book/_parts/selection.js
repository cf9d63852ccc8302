/* Selection explorer: tick months, drag the gap, and see which patches keep a full series of dates.
 *
 * Data: { series: [{ tile, dates, x, y }], tiles: { NAME: { split, corners } }, splits: { NAME: colour },
 *         cities: { NAME: [lon, lat] }, months, gap, published: { GAP: patches } }
 */
"use strict";

parts.selection = (() => {
  const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August",
    "September", "October", "November", "December"];
  const PIXELS = { patch: 256, tile: 10980 };

  /* ---- The rule, and counts by it. ---- */

  /** Dates such as "2020-07-08", sorted, as a list a month: of { month, date, day }, the day counted on. */
  function byMonth(dates) {
    const months = Array.from({ length: 13 }, () => []);
    for (const text of dates) {
      const [, month, date] = text.split("-").map(Number);
      months[month].push({ month, date, day: Date.parse(text) / 864e5 });
    }
    return months;
  }

  /** The rule of dataset.selection.choose_dates, and where it stops.
   *
   * dates: of `byMonth`; months: in order; gap: least days from one chosen date to the next.
   * Gives { chosen }, and the month where it finds none as `stopped`.
   */
  function walk(dates, months, gap) {
    const chosen = [];
    let earliest = -Infinity;
    for (const month of months) {
      const next = dates[month].find(({ day }) => day >= earliest);
      if (!next) return { chosen, stopped: month };
      chosen.push(next);
      earliest = next.day + gap;
    }
    return { chosen };
  }

  /** Why a list of dates has no full series, in words; "" where it has one. */
  function reason(dates, months, gap) {
    if (!months.length) return "no month is ticked";
    const missing = months.filter((month) => !dates[month].length);
    if (missing.length) return `no image in ${missing.map((month) => MONTHS[month - 1]).join(", ")}`;
    const { chosen, stopped } = walk(dates, months, gap);
    if (!stopped) return "";
    const last = chosen[chosen.length - 1];
    return `no ${MONTHS[stopped - 1]} image ${gap} days or more after ${last.date} ${MONTHS[last.month - 1]}`;
  }

  /** Patches kept: in all, by split, and by tile with the reasons of those lost. */
  function count(data, months, gap) {
    const result = { total: 0, splits: {}, tiles: {} };
    for (const [name, tile] of Object.entries(data.tiles)) {
      result.tiles[name] = { split: tile.split, kept: 0, all: 0, lost: new Map() };
      result.splits[tile.split] ??= 0;
    }
    for (const { tile, read, x } of data.series) {
      const row = result.tiles[tile], why = reason(read, months, gap);
      row.all += x.length;
      if (why) row.lost.set(why, (row.lost.get(why) ?? 0) + x.length);
      else {
        row.kept += x.length;
        result.splits[row.split] += x.length;
        result.total += x.length;
      }
    }
    return result;
  }

  /** The data with its dates read. */
  function prepare(data) {
    for (const one of data.series) one.read = byMonth(one.dates);
    return data;
  }

  /* ---- The drawing. ---- */

  const WIDTH = 640, MARGIN = 6;

  /** From longitude and latitude to the drawing, which holds all of these points. */
  function projection(points) {
    const lon = points.map((point) => point[0]), lat = points.map((point) => point[1]);
    const west = Math.min(...lon), north = Math.max(...lat), south = Math.min(...lat);
    const flat = Math.cos(((north + south) / 2) * (Math.PI / 180));
    const scale = (WIDTH - 2 * MARGIN) / ((Math.max(...lon) - west) * flat);
    const place = ([x, y]) => [MARGIN + (x - west) * flat * scale, MARGIN + (north - y) * scale];
    return { place, height: 2 * MARGIN + (north - south) * scale };
  }

  /** A place inside a tile, from its four corners (north-west, north-east, south-east, south-west). */
  function inside([nw, ne, se, sw], column, row) {
    const right = column / PIXELS.tile, down = row / PIXELS.tile;
    return [0, 1].map((i) =>
      (1 - down) * ((1 - right) * nw[i] + right * ne[i]) + down * ((1 - right) * sw[i] + right * se[i]));
  }

  const outline = (points) => `M${points.map((point) => point.map((v) => v.toFixed(1)).join(" ")).join("L")}Z`;

  /** The squares of all patches of one series, as one path. */
  function squares({ tile, x, y }, tiles, place) {
    const at = (column, row) => place(inside(tiles[tile].corners, column, row));
    return x.map((left, i) => {
      const right = left + PIXELS.patch, top = y[i], bottom = y[i] + PIXELS.patch;
      return outline([at(left, top), at(right, top), at(right, bottom), at(left, bottom)]);
    }).join("");
  }

  /** Text that ends at a place instead where it would run out of the drawing on the right. */
  const label = ([x, y], text, kind) => parts.svg("text", x > 0.8 * WIDTH
    ? { x: x - 6, y, dy: "0.35em", class: kind, "text-anchor": "end" }
    : { x: x + 6, y, dy: "0.35em", class: kind }, text);

  /** The height of a tile's name, moved down where the name of a city, right of its place, is near. */
  function besideCities(x, y, cities) {
    const near = ([cityX, cityY]) => x > cityX - 40 && x < cityX + 110 && Math.abs(y - cityY) < 18;
    return cities.some(near) ? y + 24 : y;
  }

  function drawMap(data) {
    const ends = data.series.flatMap(({ tile, x, y }) => [0, PIXELS.patch].flatMap((side) =>
      x.map((column, i) => inside(data.tiles[tile].corners, column + side, y[i] + side))));
    const { place, height } = projection(ends);
    const cities = Object.values(data.cities).map(place);
    const map = parts.svg("svg", { viewBox: `0 0 ${WIDTH} ${height.toFixed(0)}`, role: "img" });
    for (const one of data.series) {
      one.title = parts.svg("title");
      one.path = parts.svg("path", { d: squares(one, data.tiles, place) }, one.title);
      map.append(one.path);
    }
    for (const [name, { corners }] of Object.entries(data.tiles)) {
      map.append(parts.svg("path", { d: outline(corners.map(place)), class: "tile" }));
      const own = data.series.filter(({ tile }) => tile === name);
      const mean = (side) => own.reduce((sum, one) => sum + Math.max(...one[side]) + Math.min(...one[side]), 0)
        / (2 * own.length) + PIXELS.patch / 2;
      const [x, middle] = place(inside(corners, mean("x"), mean("y")));
      const y = besideCities(x, middle, cities);
      map.append(parts.svg("text", { x, y, dy: "0.35em", class: "tile-name" }, name));
    }
    for (const [name, at] of Object.entries(data.cities)) {
      const [x, y] = place(at);
      map.append(parts.svg("circle", { cx: x, cy: y, r: 3 }), label([x, y], name, "city"));
    }
    return parts.readable(map);
  }

  function colourMap(data, months, gap) {
    for (const { tile, read, x, path, title } of data.series) {
      const { split } = data.tiles[tile], why = reason(read, months, gap);
      path.setAttribute("fill", why ? "var(--live-lost)" : data.splits[split]);
      title.textContent = `${tile}: ${parts.count(x.length)} patches, ${why ? `lost: ${why}` : split}`;
    }
  }

  function whyLost({ kept, lost }) {
    if (!lost.size) return "";
    const most = [...lost.entries()].sort((a, b) => b[1] - a[1]);
    const text = ([why, patches]) => (kept || most.length > 1 ? `${parts.count(patches)}: ` : "") + why;
    return most.slice(0, 2).map(text).join("; ") + (most.length > 2 ? "; and others" : "");
  }

  function tileRows(data, counted) {
    return Object.entries(counted.tiles).map(([name, tile]) => parts.html("tr", {},
      parts.html("th", { scope: "row" }, ...(tile.kept ? parts.swatches({ [name]: data.splits[tile.split] }) : [name])),
      parts.html("td", {}, parts.count(tile.kept)),
      parts.html("td", {}, parts.count(tile.all)),
      parts.html("td", {}, whyLost(tile))));
  }

  function mount(box, data) {
    prepare(data);
    const chosen = { months: new Set(data.months), gap: data.gap };
    const total = parts.html("p", { class: "live-total", "aria-live": "polite" });
    const splits = parts.html("p", { class: "controls" });
    const rows = parts.html("tbody");
    const map = drawMap(data);

    const short = MONTHS.map((name) => name.slice(0, 3)), numberOf = (name) => short.indexOf(name) + 1;
    const months = parts.choice("Months", short, (name) => {
      chosen.months[chosen.months.has(numberOf(name)) ? "delete" : "add"](numberOf(name));
      update();
    });
    const gap = parts.slider("Days between, at least", { min: 0, max: 40, value: chosen.gap },
      (value) => { chosen.gap = value; update(); });
    const printed = Object.fromEntries(Object.entries(data.published).map(([days, patches]) =>
      [`${days} days: ${parts.count(patches)}`, Number(days)]));
    const presets = parts.choice("Table 1 of the paper", Object.keys(printed), (name) => {
      Object.assign(chosen, { months: new Set(data.months), gap: printed[name] });
      gap.set(chosen.gap);
      update();
    });

    const inWords = (asked) => {
      const named = asked.map((month) => short[month - 1]).join(", ");
      return asked.length > 1 ? `${named}, at least ${chosen.gap} days apart` : named;
    };

    function update() {
      const asked = [...chosen.months].sort((a, b) => a - b);
      const counted = count(data, asked, chosen.gap);
      const all = data.series.reduce((sum, { x }) => sum + x.length, 0);
      months.press((name) => chosen.months.has(numberOf(name)));
      presets.press((name) => asked.join() === data.months.join() && printed[name] === chosen.gap);
      total.replaceChildren(parts.html("b", {}, parts.count(counted.total)),
        asked.length ? ` of ${parts.count(all)} patches keep a full series: ${inWords(asked)}` : " patches: tick at least one month");
      const legend = Object.fromEntries(Object.entries(data.splits).map(
        ([name, color]) => [`${name} ${parts.count(counted.splits[name])}`, color]));
      legend[`lost ${parts.count(all - counted.total)}`] = "var(--live-lost)";
      splits.replaceChildren(...parts.swatches(legend));
      rows.replaceChildren(...tileRows(data, counted));
      map.setAttribute("aria-label", `Map of the tiles: ${parts.count(counted.total)} patches kept`);
      colourMap(data, asked, chosen.gap);
    }

    box.append(
      parts.html("p", { class: "on-screen" }, "Tick the months that a series needs, and set the least number of days between two of its dates."),
      months.box,
      parts.html("div", { class: "controls on-screen" }, gap.box, "Paper, Table 1:"),
      presets.box,
      total, splits, map,
      parts.html("details", { open: true }, parts.html("summary", {}, "Tile by tile, and why patches are lost"),
        parts.html("table", { class: "table live-tiles" },
          parts.html("thead", {}, parts.html("tr", {}, ...["Tile", "Kept", "Of", "Lost because"].map((name) =>
            parts.html("th", { scope: "col" }, name)))), rows)));
    update();
  }

  return { mount, byMonth, walk, reason, count, prepare };
})();
