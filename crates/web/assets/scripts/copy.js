// Puts a button that copies on every block of code. The button's two words stand on the element around the blocks.
for (const around of document.querySelectorAll('[data-copy]')) {
  for (const block of around.querySelectorAll('pre:not(.lines, .diff)')) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'quiet copy';
    button.textContent = around.dataset.copy;
    button.addEventListener('click', async () => {
      await navigator.clipboard.writeText(block.textContent);
      button.textContent = around.dataset.copied;
      button.setAttribute('aria-live', 'polite');
    });
    const holder = document.createElement('div');
    holder.className = 'copied';
    block.replaceWith(holder);
    holder.append(block, button);
  }
}
