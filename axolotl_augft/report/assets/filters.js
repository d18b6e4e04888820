// The form above the list -> which statements are shown, and in which order.

const EVERYTHING = { search: "", show: "all", kind: "", reason: "", place: "", least: "0", most: "1", order: "source" };
const filters = { ...EVERYTHING };
const controls = {};
// What the list shows: one item for each source, or for each statement; an item is a list of statements' numbers, or, for
// a source without any, the number of the source as -1 - number.
let items = [];
let order = [];
let itemOf = [];

function makeFilters() {
  const option = ([value, text]) => h("option", { value, text });
  const select = (name, label, options) => field(name, label, h("select", { name }, options.map(option)));
  const reasons = [...head.reasons].sort();
  const strategies = [...new Set(head.kinds.map((kind) => kind.split("/")[0]))];
  const kinds = [...(strategies.length > 1 ? strategies.map((s) => `${s}/`) : []), ...[...head.kinds].sort()];
  const [a, b] = head.runs.map((run) => shown(run.name));
  const show = [["all", "All"], ["kept", "Kept"], ["rejected", "Rejected"], ["marked", "Marked"], ["uncovered", "Sources with uncovered sentences"], ["nothing", "Sources without a kept statement"]];
  if (statements.some(isLong)) show.push(["long", "Statements above sequence_len"]);
  if (isCompared) show.push(["only-0", `Kept only by ${a}`], ["only-1", `Kept only by ${b}`], ["both", "Kept by both"], ["differ", "Kept by one of the two"]);
  document.getElementById("filters").append(
    field("search", "Search", h("input", { name: "search", type: "search", autocomplete: "off", placeholder: "Words, or a document's id" })),
    select("show", "Show", show),
    select("kind", "Kind", [["", "Any"], ...kinds.map((kind) => [kind, kind.endsWith("/") ? `${kind}…` : kind])]),
    select("reason", "Reason", [["", "Any"], ...reasons.map((reason) => [reason, reason])]),
    ...(isVerified ? [field("least", "Probability from", probability("least", "0")), field("most", "to", probability("most", "1"))] : []),
    field("place", "File or section", h("input", { name: "place", type: "search", autocomplete: "off", list: "places" }), h("datalist", { id: "places" }, head.files.slice(0, 200).map((file) => h("option", { value: shown(file) })))),
    select("order", "Order", [["source", "As in the sources"], ["doubt", "Most doubtful first"]]),
    h("button", { type: "button", class: "quiet", text: "Reset", onclick: () => setFilters({}, false) }),
  );
  const form = document.getElementById("filters");
  form.addEventListener("input", () => { readControls(); applyFilters(); });
  form.addEventListener("submit", (event) => event.preventDefault());
}

function field(name, label, control, ...more) {
  controls[name] = control;
  control.id = `filter-${name}`;
  return h("div", { class: `field ${name}` }, h("label", { for: control.id, text: label }), control, ...more);
}

const probability = (name, value) => h("input", { name, type: "number", min: "0", max: "1", step: "0.05", value });

function readControls() {
  for (const [name, control] of Object.entries(controls)) filters[name] = control.value;
}

/** Set the filters, all others to what shows everything; with `jump`, go to the list. */
function setFilters(values, jump) {
  Object.assign(filters, EVERYTHING, { order: filters.order }, values);
  for (const [name, control] of Object.entries(controls)) control.value = filters[name];
  applyFilters();
  if (jump) document.getElementById("statements").scrollIntoView();
}

function applyFilters() {
  const search = filters.search.trim().toLowerCase();
  const place = filters.place.trim().toLowerCase();
  const wanted = statementTest();
  const files = head.files.map((file) => file.toLowerCase().includes(place));
  const showsEmpty = wanted === null;
  items = [];
  for (let n = 0; n < sources.length; n += 1) {
    const source = sources[n];
    if (place && !files[source[FILE]] && !source[SECTION].toLowerCase().includes(place)) continue;
    if (!sourceTest(source)) continue;
    const whole = !search || source[ID] === search || lowSources[n].includes(search);
    let own = source[STATEMENTS];
    if (!whole || wanted) own = own.filter((i) => (whole || statements[i][LOW].includes(search)) && (!wanted || wanted(statements[i])));
    if (own.length) items.push(own);
    else if (showsEmpty && whole) items.push([-1 - n]);
  }
  if (filters.order === "doubt") items = mostDoubtfulFirst(items.flat().filter((i) => i >= 0)).map((i) => [i]);
  order = [];
  itemOf = [];
  items.forEach((item, at) => item.forEach((i) => { if (i >= 0) { order.push(i); itemOf.push(at); } }));
  showCount();
  fillList();
}

/** Return the test of a statement, null if all pass. */
function statementTest() {
  const { show, kind, reason } = filters;
  const [least, most] = [Number(filters.least) || 0, filters.most === "" ? 1 : Number(filters.most)];
  const kinds = head.kinds.map((name) => !kind || name === kind || (kind.endsWith("/") && name.startsWith(kind)));
  const number = head.reasons.indexOf(reason);
  const tests = [];
  if (show === "kept") tests.push(isKept);
  if (show === "rejected") tests.push((s) => !isKept(s));
  if (show === "long") tests.push(isLong);
  if (show === "marked") tests.push((s) => markOf(s) !== undefined);
  if (show.startsWith("only-")) tests.push((s) => isKept(s) && s[KEPT_BY] === 1 + Number(show.slice(5)));
  if (show === "differ") tests.push((s) => s[KEPT_BY] === 1 || s[KEPT_BY] === 2);
  if (show === "both") tests.push((s) => isKept(s) && s[KEPT_BY] === 3);
  if (kind) tests.push((s) => kinds[s[KIND]]);
  if (reason) tests.push((s) => s[REASON] === number);
  if (least > 0 || most < 1) tests.push((s) => s[P] !== null && s[P] >= least && s[P] <= most);
  return tests.length ? (s) => tests.every((test) => test(s)) : null;
}

function sourceTest(source) {
  if (filters.show === "uncovered") return uncovered(source).size > 0;
  if (filters.show === "nothing") return source[IS_OWN] && !source[STATEMENTS].some((i) => isKept(statements[i]) && statements[i][RUN] === 0);
  return true;
}

/** Return the numbers of a source's sentences that no kept statement of the first run is about; none if that run lacks the source. */
function uncovered(source) {
  if (!source[IS_OWN]) return new Set();
  const open = new Set(source[ENDS].keys());
  for (const i of source[STATEMENTS]) {
    const s = statements[i];
    if (isKept(s) && s[RUN] === 0) open.delete(s[SENTENCE]);
  }
  return open;
}

let ranked = null;

/** Sort statements; all of them are sorted once, so that a filter only picks from them. */
function mostDoubtfulFirst(found) {
  ranked ??= [...statements.keys()].sort(byDoubt);
  const wanted = new Uint8Array(statements.length);
  for (const i of found) wanted[i] = 1;
  return ranked.filter((i) => wanted[i]);
}

/** Kept statements first, the least probable at the top; then rejected ones, the most probable at the top; see `doubt` in selection.py. */
function byDoubt(i, j) {
  const [a, b] = [statements[i], statements[j]];
  if (isKept(a) !== isKept(b)) return isKept(a) ? -1 : 1;
  if ((a[P] === null) !== (b[P] === null)) return a[P] === null ? 1 : -1;
  const doubt = (s) => (s[P] === null ? s[NEW] : 1 - s[P]);
  return (isKept(a) ? doubt(b) - doubt(a) : doubt(a) - doubt(b)) || i - j;
}

function howRanked() {
  const byWords = "those with most words that their source lacks first";
  if (!isVerified) return `${byWords} (nothing was verified)`;
  const without = order.filter((i) => statements[i][P] === null).length;
  return `least probable first${without ? `; then ${count(without)} without a probability, ${byWords}` : ""}`;
}

function showCount() {
  const found = order.length;
  const inSources = filters.order === "doubt" ? new Set(order.map((i) => statements[i][SOURCE])).size : items.length;
  const how = filters.order === "doubt" ? `, ${howRanked()}` : "";
  document.getElementById("shown").textContent = `${plural(found, "statement")} in ${plural(inSources, "source")}${how}`;
  showMarkButtons();
}
