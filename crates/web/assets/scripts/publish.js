// Takes a folder, files or an archive that is dropped on the form, and shows how far sending has come. Without it the form is
// a plain one.
const MOST_FILES = 5000;

/** What an entry that was dropped holds: path and file of each. */
async function walk(entry, before, found) {
  if (found.length >= MOST_FILES) return;
  if (entry.isFile) {
    found.push([before + entry.name, await new Promise((done, failed) => entry.file(done, failed))]);
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    const some = await new Promise((done, failed) => reader.readEntries(done, failed));
    if (some.length === 0) return;
    for (const one of some) await walk(one, `${before}${entry.name}/`, found);
  }
}

/** What was dropped: path and file of each. */
async function dropped(transfer) {
  const items = [...transfer.items].filter((item) => item.kind === 'file');
  // Both are asked at once: the items are gone after the first wait.
  const all = items.map((item) => [item.webkitGetAsEntry(), item.getAsFile()]);
  const found = [];
  for (const [entry, file] of all) {
    if (entry) await walk(entry, '', found);
    else if (file) found.push([file.name, file]);
  }
  return found;
}

/** What the fields of the form hold: path and file of each. */
function chosen(form) {
  const files = [...form.elements.files.files, ...form.elements.folder.files];
  return files.map((file) => [file.webkitRelativePath || file.name, file]);
}

const total = (files) => files.reduce((sum, [, file]) => sum + file.size, 0);

function readable(bytes) {
  return bytes < 1 << 20 ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / (1 << 20)).toFixed(1)} MiB`;
}

function start(form) {
  const zone = form.querySelector('[data-drop]');
  const said = form.querySelector('[data-said]');
  const progress = form.querySelector('progress');
  const words = form.dataset;
  let own = [];

  const say = (files) => {
    const names = files.slice(0, 3).map(([path]) => path).join(', ');
    const more = files.length > 3 ? ` … (${files.length})` : '';
    said.textContent = files.length ? `${words.chosen}${names}${more}, ${readable(total(files))}` : '';
    if (total(files) > Number(words.most)) said.textContent += ` ${words.large}`;
  };

  zone.dataset.ready = '';
  for (const kind of ['dragenter', 'dragover']) {
    zone.addEventListener(kind, (event) => {
      event.preventDefault();
      zone.dataset.over = '';
    });
  }
  zone.addEventListener('dragleave', () => delete zone.dataset.over);
  zone.addEventListener('drop', async (event) => {
    event.preventDefault();
    delete zone.dataset.over;
    own = await dropped(event.dataTransfer);
    form.elements.files.value = '';
    form.elements.folder.value = '';
    say(own);
  });
  zone.addEventListener('change', () => {
    own = [];
    say(chosen(form));
  });

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const files = own.length ? own : chosen(form);
    if (total(files) > Number(words.most)) {
      say(files);
      return;
    }
    const body = new FormData(form);
    body.delete('files');
    body.delete('folder');
    for (const [path, file] of files) body.append('files', file, path);
    send(body);
  });

  function send(body) {
    const button = form.querySelector('button');
    const over = (text) => {
      button.disabled = false;
      progress.hidden = true;
      said.textContent = text;
    };
    button.disabled = true;
    progress.hidden = false;
    said.textContent = words.sending;
    const request = new XMLHttpRequest();
    request.open('POST', form.action);
    request.setRequestHeader('accept', 'text/html');
    request.upload.addEventListener('progress', ({ loaded, total: all }) => {
      progress.value = all ? loaded / all : 0;
    });
    request.addEventListener('error', () => over(words.broken));
    request.addEventListener('load', () => {
      if (new URL(request.responseURL).pathname !== new URL(form.action).pathname) {
        location.assign(request.responseURL);
        return;
      }
      const page = new DOMParser().parseFromString(request.responseText, 'text/html');
      const fresh = page.querySelector('main');
      if (!fresh) return over(words.broken);
      document.querySelector('main').replaceWith(document.adoptNode(fresh));
      begin();
      const refused = fresh.querySelector('[role=alert]');
      refused?.setAttribute('tabindex', '-1');
      refused?.focus();
    });
    request.send(body);
  }
}

function begin() {
  const form = document.querySelector('form[data-publish]');
  if (form) start(form);
}

begin();
