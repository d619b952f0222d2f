// Text for elsewhere: to the clipboard, and a word that it is there.

const SAID_MS = 4000;

/** Puts a text on the clipboard and says so; where the browser gives none, as by plain HTTP beyond loopback, the text is shown to be copied by hand. */
export function copy(text: string): void {
  const { clipboard } = navigator as { clipboard?: Clipboard };
  if (clipboard === undefined) prompt('This browser lets no page copy by itself here. Copy it from this field:', text);
  else clipboard.writeText(text).then(() => say('Copied.'), () => say('Not copied: the browser did not let it.'));
}

function say(text: string): void {
  document.querySelector('.said')?.remove();
  const said = document.createElement('p');
  said.className = 'said';
  said.role = 'status';
  document.body.append(said);
  said.textContent = text;
  setTimeout(() => said.remove(), SAID_MS);
}
