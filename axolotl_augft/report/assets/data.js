// Blocks of the page -> sources and statements in memory; prompts and answers only when one is asked for.

// Places in a statement's list; see `_Content._statement` in page.py. The last three are added here.
const [RUN, REASON, KIND, SENTENCE, TEXT, QUESTION, P, ALONE, ANSWER, SAMPLE, TOKENS, NEW, RESTS_ON, OVERRULED, SOURCE, LOW, KEPT_BY] =
  Array(17).keys();
const [ID, ENTRY, ROW, FILE, SECTION, SOURCE_TEXT, ENDS, STATEMENTS, IS_OWN] = Array(9).keys();
const head = JSON.parse(document.querySelector('[data-block="head"]').textContent);
const sources = [];
const statements = [];
const lowSources = [];
const sourceOfId = new Map();
const isVerified = head.runs.some((run) => [...run.figures.probability_kept, ...run.figures.probability_rejected].some(Boolean));
const isCompared = head.runs.length > 1;

const blocksOf = (name) => [...document.querySelectorAll(`[data-block="${name}"]`)];

/** Unpack one block. */
async function unpacked(element) {
  if (element.type !== "application/gzip") return JSON.parse(element.textContent);
  if (typeof DecompressionStream === "undefined") throw new Error("This browser cannot unpack the data. Write the report again with --plain, or open it in a browser from 2023 or later.");
  const base64 = element.textContent;
  const bytes = Uint8Array.fromBase64 ? Uint8Array.fromBase64(base64) : Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

/** Read all sources, block by block, so that the page stays responsive. */
async function readSources(progress) {
  const blocks = blocksOf("sources");
  for (const [i, element] of blocks.entries()) {
    for (const source of await unpacked(element)) addSource(source);
    element.remove();
    progress(i + 1, blocks.length);
  }
}

function addSource(source) {
  const number = sources.push(source) - 1;
  // Those that only the other run has come last; see `_Content._rows` in page.py.
  source[IS_OWN] = number < head.runs[0].figures.documents;
  lowSources.push(source[SOURCE_TEXT].toLowerCase());
  sourceOfId.set(source[ID], number);
  const own = source[STATEMENTS];
  const kept = [new Set(), new Set()];
  for (const s of own) if (s[REASON] < 0) kept[s[RUN]].add(contentOf(s));
  source[STATEMENTS] = own.map((s) => {
    s[SOURCE] = number;
    s[LOW] = (s[QUESTION] ? `${s[QUESTION]}\n${s[TEXT]}` : s[TEXT]).toLowerCase();
    s[KEPT_BY] = kept[0].has(contentOf(s)) + 2 * kept[1].has(contentOf(s));
    return statements.push(s) - 1;
  });
}

const contentOf = (s) => `${s[QUESTION] ?? ""}\u0000${s[TEXT]}`;
const isLong = (s) => s[TOKENS] > head.runs[s[RUN]].sequence_len;
const isKept = (s) => s[REASON] < 0;
const reasonOf = (s) => (isKept(s) ? null : head.reasons[s[REASON]]);

const remembered = new Map();

function once(key, make) {
  if (!remembered.has(key)) remembered.set(key, make());
  return remembered.get(key);
}

const all = (name) => once(name, async () => (await Promise.all(blocksOf(name).map(unpacked))).flat());

/** Return the prompt and the raw answer of a statement; null if the page has none. */
async function answerOf(s) {
  if (s[ANSWER] < 0) return null;
  const block = Math.floor(s[ANSWER] / head.answers_in_block);
  const name = `answers-${s[RUN]}`;
  const answers = await once(`${name}/${block}`, () => unpacked(blocksOf(name)[block]));
  const [prefix, target, outcome, text, finish, reasoning, prompt, cached, written] = answers[s[ANSWER] % head.answers_in_block];
  const [prefixes, lines] = await Promise.all([all(`prefixes-${s[RUN]}`), all(`lines-${s[RUN]}`)]);
  const joined = (numbers) => numbers.map((n) => lines[n]).join("\n");
  const [system, shared] = prefix < 0 ? ["", ""] : prefixes[prefix].map(joined);
  return { system, shared, target, outcome, text, finish, reasoning, prompt, cached, written };
}
