// Menus that open below a word: Escape and a click elsewhere close them, as everywhere.

const OPEN = 'details:is(.menu, .choose)[open]';

/** Closes what is open of them; for the whole page. */
export function listenForMenus(): void {
  document.addEventListener('pointerdown', (event) => {
    for (const menu of document.querySelectorAll<HTMLDetailsElement>(OPEN)) {
      if (!menu.contains(event.target as Node)) menu.open = false;
    }
  });
  document.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || event.defaultPrevented) return;
    const menu = (event.target as Element).closest<HTMLDetailsElement>(OPEN);
    if (menu === null) return;
    event.preventDefault();
    menu.open = false;
    menu.querySelector('summary')?.focus();
  });
}
