// Looks again while a version waits to be scanned, and shows what came of it. Without it a link does the same.
const EVERY = 1000;

const live = () => document.getElementById('live');

async function look() {
  const answer = await fetch(location.href, { headers: { accept: 'text/html' } });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  const fresh = page.getElementById('live');
  if (!fresh || fresh.dataset.stage === live().dataset.stage) return;
  live().replaceWith(document.adoptNode(fresh));
  document.getElementById('told').textContent = fresh.querySelector('[data-headline]').textContent;
}

async function wait() {
  while (live()?.dataset.stage === 'waiting') {
    await new Promise((done) => setTimeout(done, EVERY));
    // The hub is away for a moment, or the session ended: the link on the page stays.
    await look().catch(() => {});
  }
}

wait();
