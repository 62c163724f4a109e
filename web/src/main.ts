import { mount } from 'svelte';

import App from './App.svelte';
import './tokens.css';
import './base.css';
import { wasInside } from './lib/inside';
import { PUBLIC } from './lib/route';
import { router } from './lib/state/router.svelte';
import { face } from './lib/state/face.svelte';
import { session } from './lib/state/session.svelte';
import { texts } from './lib/text/language.svelte';
import { lost } from './lib/text/lost';

const target = document.getElementById('app');
if (target === null) throw new Error('index.html has no #app');
void face.begin();
// Who this is, is asked while the words are on their way.
if (!PUBLIC.has(router.route.view)) {
  void session.begin();
  // Whoever shows it says if it cannot be had.
  if (wasInside()) import('./views/inside').catch(() => undefined);
}
try {
  await texts.start();
} catch (error) {
  target.replaceChildren(lost());
  throw error;
}
await face.seen();
mount(App, { target });
