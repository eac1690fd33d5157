// Follows a run while it goes on: appends what it says to the log that the page was made with.
const log = document.getElementById('log');
const FORMER = /[\u202a-\u202e\u2066-\u2069]|[^\P{Cc}\n\t]/gu;
const KINDS = { stdout: 'out', stderr: 'err', note: 'told' };
const LETTERS = 200_000;
let after = log.dataset.after;

/** Text without what steers a terminal or turns the text beside it round. */
const harmless = (text) => text.replace(/\r\n?/g, '\n').replace(FORMER, '\ufffd');

/** Appends a piece of text, as text; the window follows when it stood at the end. */
function say(kind, text) {
  const atEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 4;
  const piece = document.createElement('span');
  piece.className = KINDS[kind];
  piece.textContent = harmless(kind === 'note' ? `${text}\n` : text);
  document.getElementById('silent')?.remove();
  log.append(piece);
  while (log.textContent.length > LETTERS && log.childElementCount > 1) log.firstElementChild.remove();
  if (atEnd) log.scrollTop = log.scrollHeight;
}

/** One event of the stream. */
function happened(block) {
  const fields = { data: '' };
  for (const line of block.split('\n')) {
    const [, name, value] = /^(\w+): ?(.*)$/.exec(line) ?? [];
    if (name) fields[name] = name === 'data' ? fields.data + value : value;
  }
  if (fields.id) after = fields.id;
  if (fields.event === 'result') return true;
  if (!KINDS[fields.event]) return false;
  const { text } = JSON.parse(fields.data);
  if (text) say(fields.event, text);
  return false;
}

/** Reads the stream from where the page stands; true when the run is over. */
async function follow() {
  const headers = { accept: 'text/event-stream', 'last-event-id': after };
  const answer = await fetch(`/api/kontor/v1/runs/${log.dataset.run}/events`, { headers });
  if (answer.status >= 400 && answer.status < 500) return undefined;
  if (!answer.ok) return false;
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = ''; ;) {
    const { done, value } = await reader.read();
    if (done) return false;
    const blocks = (rest + value).split('\n\n');
    rest = blocks.pop();
    for (const block of blocks) if (happened(block)) return true;
  }
}

/** Follows until the run is over, then shows the page with its result. */
for (let wait = 500; log.dataset.run; wait = Math.min(wait * 2, 15_000)) {
  const before = after;
  const over = await follow().catch(() => false);
  if (over) location.reload();
  if (over !== false) break;
  if (after !== before) wait = 500;
  await new Promise((done) => setTimeout(done, wait));
}
