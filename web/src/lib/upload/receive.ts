/** From a drop, a paste or a picker to the queue. */

import type { Root } from '../api/files';
import { Problem } from '../api/http';
import { each } from '../batch';
import { questions } from '../state/questions.svelte';
import { toasts } from '../state/toasts.svelte';
import { texts } from '../text/language.svelte';
import { sentence } from '../text/problem';
import { UPLOAD_WORDS } from '../text/upload';
import { queue } from './queue.svelte';
import { fromPicker, fromTransfer, type Gathered } from './sources';
import type { Taken } from './take';

export async function receiveTaken(taken: Taken, root: Root, folder: readonly string[]): Promise<void> {
  let toast = 0;
  const reading = fromTransfer(taken, (count) => (toast = toasts.update(toast, UPLOAD_WORDS[texts.language].reading(count))));
  await reading.then((gathered) => receive(gathered, root, folder), complain);
  toasts.drop(toast);
}

export async function receiveFiles(files: Iterable<File>, root: Root, folder: readonly string[]): Promise<void> {
  await receive(fromPicker(files), root, folder);
}

async function receive({ files, empty }: Gathered, root: Root, folder: readonly string[]): Promise<void> {
  try {
    // Looking at files needs nothing of what asks about names.
    const { arrange } = await import('./arrange');
    const { planned, skipped } = await arrange(root, folder, files, questions.asker(true, root));
    queue.add(planned, skipped);
    // The tray tells of those that were skipped, if there is one.
    if (queue.items.length === 0 && skipped > 0) toasts.say(UPLOAD_WORDS[texts.language].skippedOnly(skipped));
    const made = await each(empty, (path) => root.makeFolder([...folder, ...path]));
    // A folder that is there already is what was wanted.
    if (made.problem !== null && !(made.problem instanceof Problem && made.problem.code === 'exists'))
      throw made.problem;
  } catch (error) {
    complain(error);
  }
}

function complain(error: unknown): void {
  toasts.say(sentence(error, texts.text), { bad: true });
}
