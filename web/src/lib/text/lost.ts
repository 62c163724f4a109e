/** What is said where no words can be loaded, in every language: it has to be here before they are. */
const WORDS: readonly (readonly [string, string])[] = [
  ['en', 'The page did not come completely. Your files are where they were.'],
  ['de', 'Die Seite kam nicht ganz an. Ihre Dateien sind, wo sie waren.'],
];

export function lost(): HTMLElement {
  const box = document.createElement('main');
  box.className = 'page';
  const title = document.createElement('h1');
  title.textContent = document.title;
  box.append(title);
  for (const [language, words] of WORDS) {
    const line = document.createElement('p');
    line.lang = language;
    line.setAttribute('role', 'alert');
    line.textContent = words;
    box.append(line);
  }
  const again = document.createElement('button');
  again.className = 'button';
  again.textContent = 'Load again · Neu laden';
  again.onclick = () => location.reload();
  const actions = document.createElement('p');
  actions.className = 'actions';
  actions.append(again);
  box.append(actions);
  return box;
}
