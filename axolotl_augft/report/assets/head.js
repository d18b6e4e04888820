// The figures of the runs -> what stands above the statements: key figures, warnings, charts, summary.

const REASONS = {
  empty: "the answer holds no statement", truncated: "cut at max_tokens", malformed: "not one clean sentence",
  repetition: "the model was caught in a loop", refusal: "the model refused", chatter: "speaks to the user",
  label_leak: "speaks of the document, or keeps a label", echo: "repeats its source", copied_prompt: "repeats the instructions",
  copied_example: "taken from a worked example", given_away: "its question gives the answer away",
  unsupported: "does not follow from its source", unverified: "the verifier gave no verdict",
  contradicted: "contradicts a source or a more probable statement", not_alone: "cannot be understood without its source",
  nothing_follows: "the model says that nothing follows", duplicate: "written before",
  near_duplicate: "says almost the same as its source or another statement", leak: "states an answer of a held-out row",
  content_filter: "refused by the provider",
  invalid_request: "the server called the request invalid", marked: "taken out by hand",
};

function figure(label, value, note, others = []) {
  return h("div", { class: "figure" }, h("dt", { text: label }), h("dd", {}, h("strong", { text: value }), note && h("span", { text: note }), others.map((text) => h("span", { class: "other", text: shown(text) }))));
}

function showHead() {
  const [run, other] = head.runs;
  document.title = shown(`${run.name} – augft report`);
  document.getElementById("title").textContent = shown(run.name);
  document.getElementById("subtitle").textContent = shown(`What ${run.teacher} wrote` + (other ? `, beside what ${other.teacher} wrote (${other.name})` : "") + ` · result ${run.fingerprint}`);
  document.getElementById("figures").append(h("dl", {}, keyFigures(run, other)));
  for (const { name, unfinished } of head.runs) if (unfinished) document.getElementById("unfinished").append(h("p", { class: "notice" }, other && `${shown(name)}: `, shown(unfinished)));
  document.getElementById("warnings").append(h("h2", { text: "Before you train" }), h("ul", {}, run.warnings.map(warning)),
    h("p", {}, h("button", { type: "button", class: "main", text: "Read the most doubtful statements", onclick: () => setFilters({ order: "doubt", show: "kept" }, true) })));
  document.getElementById("charts").append(h("h2", { text: "Charts" }), h("div", { class: "cards" }, other && besideCard(run, other), ...charts(run, other)));
  document.getElementById("summary").append(...head.runs.map((r) => h("pre", { tabindex: "0", "aria-label": "Summary of the run", text: shown(r.summary.join("\n")) })));
}

function keyFigures(run, other) {
  const f = run.figures;
  const versus = (value) => (other ? [`${other.name}: ${value(other)}`] : []);
  const precision = (r) => r.verification?.precision ?? null;
  const cost = (r) => (r.usage.dollars === null ? "unknown" : dollars(r.usage.dollars));
  const tokens = (r) => (r.usage.prompt_tokens === null ? "tokens unknown" : `${short(r.usage.prompt_tokens)} tokens in, ${short(r.usage.completion_tokens)} out`);
  return [
    figure("Sources", count(f.documents), [f.without_kept && `${count(f.without_kept)} without a kept statement`, run.held_out && `${plural(run.held_out, "row")} held out`].filter(Boolean).join("; ")),
    figure("Statements kept", count(f.kept), `${percent(f.kept, f.kept + f.rejected)} of ${count(f.kept + f.rejected)}; ${count(f.rejected)} rejected${run.by_hand && `; by hand: ${run.by_hand}`}`, versus((r) => count(r.figures.kept))),
    figure("Estimated precision", precision(run) === null ? "not estimated" : percent(precision(run), 1), precision(run) === null && run.verification ? "see below" : run.verification?.basis ?? "needs augft.verify", versus((r) => (precision(r) === null ? "not estimated" : percent(precision(r), 1)))),
    figure("Sentences covered", percent(f.covered, f.sentences), `${count(f.covered)} of ${count(f.sentences)} have a kept statement`, versus((r) => percent(r.figures.covered, r.figures.sentences))),
    figure("Teacher", cost(run), tokens(run), versus((r) => `${cost(r)}, ${tokens(r)}`)),
    figure("Training", `${count(run.training.before.rows)} → ${count(run.training.after.rows)} rows`, `${count(run.training.before.steps)} → ${count(run.training.after.steps)} optimizer steps`, versus((r) => `${count(r.training.after.rows)} rows`)),
  ];
}

function warning({ text, show }) {
  const jump = { uncovered: { show: "uncovered" }, long: { show: "long" }, truncated: { show: "rejected", reason: "truncated" } }[show];
  return h("li", {}, shown(text), jump && " ", jump && h("button", { type: "button", class: "link", text: "Show them", onclick: () => setFilters(jump, true) }));
}

function charts(run, other) {
  const f = run.figures;
  const cards = [reasonCard(run, other)];
  if (isVerified) {
    const edge = (i) => (i / f.probability_kept.length).toFixed(2);
    const labels = f.probability_kept.map((_, i) => `${edge(i)}–${edge(i + 1)}`);
    const without = [...f.probability_kept, ...f.probability_rejected].reduce((left, n) => left - n, f.kept + f.rejected);
    const missing = without ? ` Not shown: ${plural(without, "statement")} without one.` : "";
    cards.push(card("Probability", `Probability that a statement must be true if its source is.${missing}`, histogram(labels, f.probability_kept, f.probability_rejected, ["kept", "rejected"])));
  }
  cards.push(kindCard(run, other), lengthCard(run));
  const coverage = ["none", ...Array.from({ length: f.coverage.length - 2 }, (_, i) => `${i === 9 ? "under" : "up to"} ${10 * (i + 1)} %`), "all"];
  cards.push(card("Coverage of a source", "Sources by the share of their sentences that a kept statement is about.", columns(coverage, f.coverage, "sources")));
  if (run.rounds.length) cards.push(costCard(run));
  if (run.break_even.questions) cards.push(breakEvenCard(run));
  return cards;
}

function reasonCard(run, other) {
  const reasons = Object.entries(run.figures.reasons).sort((a, b) => b[1] - a[1]);
  for (const reason of Object.keys(other?.figures.reasons ?? {})) if (!(reason in run.figures.reasons)) reasons.push([reason, 0]);
  const beside = (reason) => other && (other.figures.reasons[reason] ?? 0);
  const rows = reasons.map(([reason, n]) => ({
    label: reason, note: REASONS[reason], show: () => setFilters({ show: "rejected", reason }, true),
    bars: [{ value: n, as: "rejected" }, ...(other ? [{ value: beside(reason), as: "other" }] : [])],
    numbers: [count(n), percent(n, run.figures.rejected), ...(other ? [count(beside(reason))] : [])],
  }));
  const content = rows.length ? barTable(["Reason", "", "Statements", "Share", ...(other ? [shown(other.name)] : [])], rows) : h("p", { text: "Nothing was rejected." });
  return card("Rejections by reason", null, content);
}

function kindCard(run, other) {
  const names = [...new Set(head.runs.flatMap((r) => Object.keys(r.figures.by_kind)))];
  const none = { kept: 0, rejected: 0, tokens: 0 };
  const rows = names.map((name) => {
    const n = run.figures.by_kind[name] ?? none;
    return {
      label: name, show: () => setFilters({ kind: name }, true),
      bars: [{ value: n.kept, as: "kept" }, { value: n.rejected, as: "rejected" }],
      numbers: [count(n.kept), count(n.rejected), percent(n.rejected, n.kept + n.rejected), short(n.tokens), ...(other ? [count((other.figures.by_kind[name] ?? none).kept)] : [])],
    };
  });
  const unit = run.exact_tokens ? "Tokens kept" : "Tokens kept (estimated)";
  return card("Statements by kind", null, legend(["kept", "kept"], ["rejected", "rejected"]), barTable(["Kind", "", "Kept", "Rejected", "Rejected share", unit, ...(other ? [`Kept, ${shown(other.name)}`] : [])], rows));
}

function lengthCard(run) {
  const { lengths_kept: kept, lengths_rejected: rejected } = run.figures;
  const bins = [...Object.keys(kept), ...Object.keys(rejected)].map(Number);
  const [low, high] = [Math.min(...bins, 4), Math.max(...bins, 4)];
  const range = Array.from({ length: high - low + 1 }, (_, i) => low + i);
  return card("Length", `Tokens of a statement; a row may have ${count(run.sequence_len)}.`, histogram(range.map((bin) => `≤ ${count(2 ** bin)}`), range.map((b) => kept[b] ?? 0), range.map((b) => rejected[b] ?? 0), ["kept", "rejected"]));
}

function costCard(run) {
  const priced = run.rounds.some((r) => r.dollars);
  let [seconds, sum] = [0, 0];
  const points = [[0, 0], ...run.rounds.map((r) => [(seconds += r.seconds || 1), (sum += priced ? r.dollars : r.tokens)])];
  const show = priced ? dollars : short;
  return card("Cost over time", `${plural(run.rounds.length, "round")} of this teacher in the response store, ${plural(run.rounds.reduce((n, r) => n + r.asked, 0), "request")}.`,
    lines([{ name: priced ? "dollars" : "tokens of answers", as: "line-a", points }], "of asking", "", duration, show),
    numbers(["Ended (UTC)", "Requests", "Time", priced ? "Dollars" : "Tokens"], run.rounds.slice(-20).map((r) => [r.ended.slice(0, 16).replace("T", " "), count(r.asked), duration(r.seconds), priced ? dollars(r.dollars) : count(r.tokens)])));
}

function breakEvenCard(run) {
  const { teacher, training, per_question: each, questions } = run.break_even;
  const end = 2 * questions;
  const once = teacher + training;
  return card("Break-even", `Training is cheaper than reading all sources with every question after ${plural(questions, "question")}.`,
    lines([{ name: "training once", as: "line-a", points: [[0, once], [end, once]] }, { name: "sources in every prompt", as: "line-b", points: [[0, 0], [end, end * each]] }], "questions", "forward tokens", short, short),
    numbers(["", "Forward tokens"], [["teacher, read and written", count(teacher)], ["training (a token counts 3)", count(training)], ["sources, with each question", count(each)]]),
    h("p", { class: "note", text: "A token of the teacher counts as one of the student, however large it is; cached prefixes get no discount." }));
}

function besideCard(run, other) {
  const row = (label, value) => [label, ...[run, other].map(value)];
  return card("Two runs side by side", null, table(["", shown(run.name), shown(other.name)], [
    row("Teacher", (r) => shown(r.teacher)), row("Kept", (r) => count(r.figures.kept)), row("Rejected", (r) => count(r.figures.rejected)),
    row("Share kept", (r) => percent(r.figures.kept, r.figures.kept + r.figures.rejected)), row("Sentences covered", (r) => percent(r.figures.covered, r.figures.sentences)),
    row("Sources without a kept statement", (r) => count(r.figures.without_kept)), row("Cost", (r) => (r.usage.dollars === null ? "unknown" : dollars(r.usage.dollars))),
  ]));
}
