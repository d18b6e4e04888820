// What the filters leave -> the list. Only the part near the window is in the page; the rest are boxes of its height.

const CHUNKS_AT_ONCE = 200;
const CHUNKS_PRINTED = 20;
// Characters of a source that fits beside its statements on any screen, and stays there while they are scrolled.
const SHORT = 800;
let itemsInChunk = 5;
let chunks = [];
let current = -1;

const nearby = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) emptyChunk(entry.target);
    else if (entry.target.isEnd) addChunks(chunks.length + CHUNKS_AT_ONCE);
    else fillChunk(entry.target);
  }
}, { rootMargin: "800px 0px" });

function fillList() {
  const list = document.getElementById("list");
  nearby.disconnect();
  current = -1;
  chunks = [];
  itemsInChunk = filters.order === "doubt" ? 15 : 5;
  list.replaceChildren(items.length ? "" : h("p", { class: "notice", text: "No statement fits these filters." }));
  addChunks(CHUNKS_AT_ONCE);
  chunks.slice(0, 1).forEach(fillChunk);
}

/** Add empty boxes to the list until it has that many, or one for every item; the last one adds more once it is near. */
function addChunks(wanted) {
  const height = filters.order === "doubt" ? 110 : 360;
  const added = [];
  while (chunks.length < wanted && chunks.length * itemsInChunk < items.length) {
    const chunk = h("div", { class: "chunk" });
    chunk.start = chunks.length * itemsInChunk;
    chunk.style.minHeight = `${height * Math.min(itemsInChunk, items.length - chunk.start)}px`;
    added.push(chunk);
    chunks.push(chunk);
  }
  const list = document.getElementById("list");
  if (list.lastChild?.isEnd) list.lastChild.remove();
  list.append(...added);
  added.forEach((chunk) => nearby.observe(chunk));
  if (chunks.length * itemsInChunk >= items.length) return;
  const end = h("div", { class: "chunk" });
  end.isEnd = true;
  list.append(end);
  nearby.observe(end);
}

/** Return the filled box that holds an item. */
function chunkOf(item) {
  const number = Math.floor(item / itemsInChunk);
  if (number >= chunks.length) addChunks(number + 1);
  if (chunks[number]) fillChunk(chunks[number]);
  return chunks[number];
}

function fillChunk(chunk) {
  if (chunk.childElementCount) return;
  chunk.style.minHeight = "";
  const own = items.slice(chunk.start, chunk.start + itemsInChunk);
  chunk.append(...own.map((item) => (filters.order === "doubt" ? single(item[0]) : sourceCard(item))));
}

/** Fill the boxes that are printed, and say how many items are not; the style leaves the other boxes out. */
function fillPaper() {
  const printed = chunks.slice(0, CHUNKS_PRINTED);
  for (const chunk of printed) { fillChunk(chunk); chunk.classList.add("printed"); }
  const most = printed.length * itemsInChunk;
  document.getElementById("printed").textContent = items.length <= most ? "" : `The first ${count(most)} of ${plural(items.length, filters.order === "doubt" ? "statement" : "source")} are printed; filter to print others.`;
}

function emptyChunk(chunk) {
  if (!chunk.childElementCount || chunk.contains(document.activeElement)) return;
  chunk.style.minHeight = `${chunk.offsetHeight}px`;
  chunk.replaceChildren();
}

const numberOf = (item) => (item[0] < 0 ? -1 - item[0] : statements[item[0]][SOURCE]);

function sourceCard(item) {
  const source = sources[numberOf(item)];
  const own = item.filter((i) => i >= 0).map((i) => i);
  const lists = isCompared
    ? [0, 1].map((run) => h("div", { class: "side" }, h("h4", { text: shown(head.runs[run].name) }), statementList(own.filter((i) => statements[i][RUN] === run))))
    : [statementList(own)];
  return h("article", { class: `source${isCompared ? " compared" : ""}`, "data-source": source[ID], "aria-label": `Source ${source[ROW]}` },
    h("div", { class: source[SOURCE_TEXT].length < SHORT ? "text short" : "text" }, sourceLine(source), sourceText(source)), h("div", { class: "written" }, lists));
}

function statementList(own) {
  if (!own.length) return h("p", { class: "nothing", text: "No statement." });
  return h("ul", {}, own.map((i) => h("li", {}, statementBox(i))));
}

function sourceLine(source) {
  const section = source[SECTION] ? ` · ${source[SECTION]}` : "";
  return h("p", { class: "place" }, h("span", { text: shown(`${head.files[source[FILE]]}${section}`) }), h("span", { text: ` · row ${source[ROW]} · ${source[ID]}` }));
}

/** The text of a source, its sentences as elements, so that one can be pointed at. */
function sourceText(source) {
  const text = source[SOURCE_TEXT];
  if (text.length > LONGEST_SHOWN) return textOf("p", text, { class: "quoted" });
  const open = uncovered(source);
  const parts = [];
  let at = 0;
  source[ENDS].forEach((end, i) => {
    const start = at + /^\s*/.exec(text.slice(at, end))[0].length;
    parts.push(text.slice(at, start));
    at = start;
    parts.push(h("span", { class: open.has(i) ? "sentence open" : "sentence", "data-sentence": i, text: shown(text.slice(at, end)), title: open.has(i) ? "No kept statement is about this sentence" : null }));
    at = end;
  });
  return h("p", { class: "quoted", dir: "auto" }, parts, shown(text.slice(at)));
}

/** A statement by itself, with the sentence that it is about. */
function single(i) {
  const s = statements[i];
  const source = sources[s[SOURCE]];
  const [from, to] = s[SENTENCE] < 0 ? [0, source[SOURCE_TEXT].length] : [source[ENDS][s[SENTENCE] - 1] ?? 0, source[ENDS][s[SENTENCE]] ?? source[SOURCE_TEXT].length];
  return h("article", { class: "source single", "data-source": source[ID], "aria-label": `Statement about source ${source[ROW]}` },
    h("div", { class: "text" }, sourceLine(source), textOf("p", source[SOURCE_TEXT].slice(from, to).trim(), { class: "quoted" }),
      h("button", { type: "button", class: "link", text: "Whole source", onclick: () => goTo(source[ID]) })),
    h("div", { class: "written" }, isCompared && h("h4", { text: shown(head.runs[s[RUN]].name) }), h("ul", {}, h("li", {}, statementBox(i)))));
}

function statementBox(i) {
  const s = statements[i];
  const box = h("div", { class: `statement ${isKept(s) ? "is-kept" : "is-rejected"}`, tabindex: "-1", "data-statement": i });
  box.addEventListener("mouseenter", () => point(box, s, true));
  box.addEventListener("mouseleave", () => point(box, s, false));
  box.addEventListener("focusin", () => { makeCurrent(i); point(box, s, true); });
  box.addEventListener("focusout", () => point(box, s, false));
  fillStatement(box, s);
  return box;
}

function fillStatement(box, s) {
  const marked = markOf(s);
  box.classList.toggle("is-marked", marked !== undefined);
  const tags = h("p", { class: "tags" }, stateTag(s, marked), s[P] === null ? null : probabilityTag(s), h("span", { text: shown(head.kinds[s[KIND]].replace("/", " · ")) }),
    s[SENTENCE] >= 0 && sources[s[SOURCE]][ENDS].length > 1 && h("span", { text: `sentence ${s[SENTENCE] + 1}` }),
    s[SAMPLE] > 0 && h("span", { text: `sample ${s[SAMPLE] + 1}` }), isLong(s) && h("span", { text: `${plural(s[TOKENS], "token")}, above sequence_len` }),
    s[OVERRULED] >= 0 && h("span", { class: "state marked", text: `brought in by hand, was ${head.reasons[s[OVERRULED]]}` }),
    isCompared && isKept(s) && h("span", { class: "agree", text: s[KEPT_BY] === 3 ? "kept by both" : "kept only here" }));
  const buttons = h("span", { class: "actions" },
    canMark(s) && h("button", { type: "button", class: "mark", text: marked ? "Undo" : nextMark(s) === "out" ? "Take out" : "Bring in", onclick: () => toggleMark(s) }),
    s[ANSWER] >= 0 && h("button", { type: "button", class: "quiet", text: "Prompt", "aria-label": "Prompt and answer", title: "Prompt and answer", onclick: () => showAnswer(s) }));
  tags.append(buttons);
  const rests = s[RESTS_ON].length ? h("div", { class: "rests" }, "Rests on this source, and on", sourceLinks(s[RESTS_ON])) : "";
  box.replaceChildren(tags, s[QUESTION] === null ? "" : textOf("p", s[QUESTION], { class: "question" }), textOf("p", s[TEXT], { class: "said" }), rests);
}

function stateTag(s, marked) {
  if (marked) return h("span", { class: "state marked", text: marked.mark === "out" ? "✕ taken out" : "✓ brought in" });
  if (isKept(s)) return h("span", { class: "state kept", text: "✓ kept" });
  const why = REASONS[reasonOf(s)];
  return h("span", {}, h("span", { class: "state rejected", text: `✕ ${reasonOf(s)}` }), why && ` – ${why}`);
}

function probabilityTag(s) {
  const alone = s[ALONE] === null ? "" : `, alone ${s[ALONE].toFixed(2)}`;
  return h("span", { class: "probability", title: `Probability that it must be true if its source is${s[ALONE] === null ? "" : "; that it can be understood alone"}` },
    svg("svg", { viewBox: "0 0 40 6", width: 40, height: 6, "aria-hidden": "true" }, svg("rect", { class: "track", width: 40, height: 6 }), svg("rect", { class: isKept(s) ? "kept" : "rejected", width: 40 * s[P], height: 6 })), ` P ${s[P].toFixed(2)}${alone}`);
}

/** Point at the sentence that a statement is about. */
function point(box, s, on) {
  box.closest(".source")?.querySelector(`[data-sentence="${s[SENTENCE]}"]`)?.classList.toggle("pointed", on);
}

/** Documents as links, each with how it begins. */
function sourceLinks(ids) {
  return h("ul", {}, ids.map((id) => {
    const text = sources[sourceOfId.get(id)]?.[SOURCE_TEXT].trim() ?? "not in this data";
    return h("li", {}, h("button", { type: "button", class: "link", text: id, disabled: !sourceOfId.has(id), onclick: () => goTo(id) }), " ",
      h("span", { dir: "auto", text: shown(text.length > 90 ? `${text.slice(0, 90)}…` : text) }));
  }));
}

/** Go to a source, with all filters off. */
function goTo(id) {
  closeDialogs();
  setFilters({ order: "source" }, false);
  const at = items.findIndex((item) => numberOf(item) === sourceOfId.get(id));
  const chunk = at < 0 ? undefined : chunkOf(at);
  if (!chunk) return;
  const card = chunk.children[at % itemsInChunk];
  card.scrollIntoView({ block: "center" });
  card.querySelector(".statement")?.focus({ preventScroll: true });
}

function makeCurrent(i) {
  document.querySelector(".statement.current")?.classList.remove("current");
  current = order.indexOf(i);
  document.querySelector(`[data-statement="${i}"]`)?.classList.add("current");
}

/** Move to the next (1) or the previous (-1) statement. */
function move(step) {
  const next = Math.max(0, Math.min(order.length - 1, current + step));
  if (!order.length) return;
  chunkOf(itemOf[next]);
  const box = document.querySelector(`[data-statement="${order[next]}"]`);
  box.focus({ preventScroll: true });
  box.scrollIntoView({ block: "center" });
}
