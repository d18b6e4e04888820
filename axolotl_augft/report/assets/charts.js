// Figures -> charts, each with its numbers in a table beside it.

/** A card with a title, a line that says what it means, and its content. */
function card(title, note, ...content) {
  const id = `chart-${title.toLowerCase().replace(/[^a-z]+/g, "-")}`;
  return h("article", { class: "card", "aria-labelledby": id }, h("h3", { id, text: title }), note && h("p", { class: "note", text: note }), ...content);
}

/** A line that says what colours mean: pairs of a class and a name, or only a name. */
function legend(...keys) {
  return h("p", { class: "legend" }, keys.map(([as, name]) => h("span", {}, as && h("span", { class: `key ${as}` }), name)));
}

/** A table whose rows are bars: label, a bar for each value, and the values. */
function barTable(columns, rows) {
  const most = Math.max(1, ...rows.flatMap((row) => row.bars.map((bar) => bar.value)));
  const header = h("thead", {}, h("tr", {}, columns.map((text, i) => h("th", { scope: "col", class: i > 1 ? "number" : null, text }))));
  const body = rows.map((row) => h("tr", {},
    h("th", { scope: "row" }, row.show ? h("button", { type: "button", class: "link", text: row.label, onclick: row.show }) : row.label, row.note && h("small", { text: row.note })),
    h("td", { class: "bar" }, bars(row.bars, most)),
    row.numbers.map((text) => h("td", { class: "number", text }))));
  return h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": columns[0] }, h("table", {}, header, h("tbody", {}, body)));
}

function bars(values, most) {
  const height = 9 * values.length;
  return svg("svg", { viewBox: `0 0 100 ${height}`, preserveAspectRatio: "none", height, "aria-hidden": "true" },
    values.map(({ value, as }, i) => svg("rect", { class: as, x: 0, y: 9 * i + 1, height: 7, width: value ? Math.max(0.7, 100 * value / most) : 0 })));
}

/** Two histograms, one above the axis and one below it. */
function histogram(labels, above, below, names) {
  const [up, down] = [Math.max(1, ...above), Math.max(0, ...below)];
  const width = 100 / labels.length;
  const zero = 2 + 95 * up / (up + down);
  const column = (values, as, isAbove) => values.map((value, i) => {
    const size = value ? Math.max(0.6, 95 * value / (up + down)) : 0;
    return svg("rect", { class: as, x: i * width + width * 0.08, width: width * 0.84, height: size, y: isAbove ? zero - size : zero + 1 });
  });
  const chart = svg("svg", { viewBox: "0 0 100 100", preserveAspectRatio: "none", class: "histogram", role: "img", "aria-label": `${names.join(" above, ")} below; the numbers are in the table` },
    column(above, "kept", true), column(below, "rejected", false), svg("line", { x1: 0, x2: 100, y1: zero + 0.5, y2: zero + 0.5, class: "axis" }));
  return h("div", {},
    legend(["kept", `${names[0]} (up)`], ["rejected", `${names[1]} (down)`], [null, `tallest bar: ${count(Math.max(up, down))}`]),
    chart, h("p", { class: "ticks", "aria-hidden": "true" }, [0, Math.floor(labels.length / 2), labels.length - 1].map((i) => h("span", { text: labels[i] }))),
    numbers(["", ...names], labels.map((label, i) => [label, count(above[i]), count(below[i])]).filter((row) => row[1] !== "0" || row[2] !== "0")));
}

/** One histogram. */
function columns(labels, values, name) {
  const most = Math.max(1, ...values);
  const width = 100 / labels.length;
  return h("div", {}, legend([null, `tallest bar: ${count(most)}`]),
    svg("svg", { viewBox: "0 0 100 50", preserveAspectRatio: "none", class: "histogram low", role: "img", "aria-label": `${name}; the numbers are in the table` },
      values.map((value, i) => svg("rect", { class: "kept", x: i * width + width * 0.08, width: width * 0.84, height: value ? Math.max(0.6, 46 * value / most) : 0, y: 49 - (value ? Math.max(0.6, 46 * value / most) : 0) })),
      svg("line", { x1: 0, x2: 100, y1: 49.5, y2: 49.5, class: "axis" })),
    h("p", { class: "ticks", "aria-hidden": "true" }, [0, labels.length - 1].map((i) => h("span", { text: labels[i] }))),
    numbers(["", name], labels.map((label, i) => [label, count(values[i])]).filter((row) => row[1] !== "0")));
}

/** Lines over one axis; `series` holds a name, a class, and points. */
function lines(series, xName, yName, xText, yText) {
  const points = series.flatMap((s) => s.points);
  const [x1, y1] = [Math.max(...points.map((p) => p[0])) || 1, Math.max(...points.map((p) => p[1])) || 1];
  const place = ([x, y]) => `${(100 * x / x1).toFixed(2)},${(49 - 47 * y / y1).toFixed(2)}`;
  return h("div", {},
    legend(...series.map((s) => [`line ${s.as}`, s.name])),
    h("p", { class: "ticks", "aria-hidden": "true" }, h("span", { text: `${yText(y1)} ${yName}` })),
    svg("svg", { viewBox: "0 0 100 50", preserveAspectRatio: "none", class: "histogram low", role: "img", "aria-label": `${series.map((s) => s.name).join(" and ")}: ${yName} over ${xName}` },
      svg("line", { x1: 0, x2: 100, y1: 49.5, y2: 49.5, class: "axis" }),
      series.map((s) => svg("polyline", { class: s.as, points: s.points.map(place).join(" ") }))),
    h("p", { class: "ticks", "aria-hidden": "true" }, h("span", { text: `0` }), h("span", { text: `${xText(x1)} ${xName}` })));
}

function numbers(header, rows) {
  return h("details", {}, h("summary", { text: "Numbers" }), table(header, rows));
}

function table(header, rows) {
  return h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Numbers" }, h("table", {},
    h("thead", {}, h("tr", {}, header.map((text, i) => (text ? h("th", { scope: "col", class: i ? "number" : null, text }) : h("td"))))),
    h("tbody", {}, rows.map(([label, ...values]) => h("tr", {}, h("th", { scope: "row", text: label }), values.map((text) => h("td", { class: "number", text })))))));
}
