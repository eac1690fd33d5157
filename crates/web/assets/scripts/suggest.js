// Offers skills whose names continue what is typed in a search field: a combobox as ARIA 1.2 describes it. Without this
// script the field is a plain search.
const PATIENCE = 150;
const MOST_TYPED = 200;

class Suggestions {
  constructor(form, number) {
    this.input = form.elements.q;
    this.told = form.dataset.suggest;
    this.list = document.createElement('ul');
    Object.assign(this.list, { id: `suggestions-${number}`, className: 'suggestions', role: 'listbox', hidden: true });
    this.list.setAttribute('aria-label', this.told);
    this.status = document.createElement('span');
    Object.assign(this.status, { className: 'hidden', role: 'status' });
    this.options = [];
    this.at = -1;
    const { input } = this;
    Object.assign(input, { type: 'text', role: 'combobox', autocomplete: 'off', enterKeyHint: 'search' });
    input.setAttribute('aria-autocomplete', 'list');
    input.setAttribute('aria-controls', this.list.id);
    input.setAttribute('aria-expanded', 'false');
    form.append(this.list, this.status);
    input.addEventListener('input', () => this.typed());
    input.addEventListener('keydown', (event) => this.pressed(event));
    input.addEventListener('blur', () => this.close());
    form.addEventListener('submit', () => this.close());
  }

  typed() {
    clearTimeout(this.waiting);
    this.asking?.abort();
    this.move(-1);
    const text = this.input.value.trim().slice(0, MOST_TYPED);
    if (text === '') return this.close();
    this.waiting = setTimeout(() => this.ask(text), PATIENCE);
  }

  async ask(text) {
    this.asking = new AbortController();
    const { signal } = this.asking;
    try {
      const answer = await fetch(`/suggestions?q=${encodeURIComponent(text)}`, { signal, headers: { accept: 'application/json' } });
      if (!answer.ok) return this.close();
      const offers = await answer.json();
      if (!signal.aborted && document.activeElement === this.input) this.offer(offers);
    } catch {
      if (!signal.aborted) this.close();
    }
  }

  offer(offers) {
    this.at = -1;
    this.options = offers.map(({ name, whose, address }, place) => {
      const option = document.createElement('li');
      Object.assign(option, { id: `${this.list.id}-${place}`, role: 'option' });
      option.dataset.address = address;
      const title = document.createElement('bdi');
      title.textContent = name;
      const owner = document.createElement('small');
      owner.textContent = whose;
      option.append(title, ' ', owner);
      // The field keeps the keyboard when somebody points at an option.
      option.addEventListener('mousedown', (event) => event.preventDefault());
      option.addEventListener('click', () => location.assign(address));
      return option;
    });
    this.list.replaceChildren(...this.options);
    this.show(this.options.length > 0);
    this.status.textContent = this.options.length > 0 ? `${this.told}: ${this.options.length}` : '';
  }

  show(open) {
    this.list.hidden = !open;
    this.input.setAttribute('aria-expanded', String(open));
  }

  close() {
    clearTimeout(this.waiting);
    this.asking?.abort();
    this.move(-1);
    this.show(false);
    this.status.textContent = '';
  }

  move(to) {
    this.options[this.at]?.removeAttribute('aria-selected');
    this.at = to;
    const option = this.options[to];
    if (!option) return this.input.removeAttribute('aria-activedescendant');
    option.setAttribute('aria-selected', 'true');
    option.scrollIntoView({ block: 'nearest' });
    this.input.setAttribute('aria-activedescendant', option.id);
  }

  pressed(event) {
    // What is typed with an input method is not finished yet.
    if (this.list.hidden || event.isComposing) return;
    const around = this.options.length + 1;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) this.move(((this.at + 1 + step + around) % around) - 1);
    else if (event.key === 'Enter' && this.at >= 0) location.assign(this.options[this.at].dataset.address);
    else if (event.key === 'Escape') this.close();
    else return;
    event.preventDefault();
  }
}

[...document.querySelectorAll('form[data-suggest]')].forEach((form, number) => new Suggestions(form, number));
