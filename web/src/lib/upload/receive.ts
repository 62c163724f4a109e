/** From a drop, a paste or a picker to the queue. */

import { makeFolder } from '../api/files';
import { Problem } from '../api/http';
import { each } from '../batch';
import { questions } from '../state/questions.svelte';
import { toasts } from '../state/toasts.svelte';
import { texts } from '../text/language.svelte';
import { sentence } from '../text/problem';
import { arrange } from './arrange';
import { queue } from './queue.svelte';
import { fromPicker, fromTransfer, type Gathered } from './sources';

export async function receiveTransfer(transfer: DataTransfer, folder: readonly string[]): Promise<void> {
  let toast = 0;
  const reading = fromTransfer(transfer, (count) => (toast = toasts.update(toast, texts.text.upload.reading(count))));
  await reading.then((gathered) => receive(gathered, folder), complain);
  toasts.drop(toast);
}

export async function receiveFiles(files: Iterable<File>, folder: readonly string[]): Promise<void> {
  await receive(fromPicker(files), folder);
}

async function receive({ files, empty }: Gathered, folder: readonly string[]): Promise<void> {
  try {
    queue.add(await arrange(folder, files, questions.asker(true)));
    const made = await each(empty, (path) => makeFolder([...folder, ...path]));
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
