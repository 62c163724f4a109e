import { Problem } from '../api/http';
import { size, span } from '../format';
import type { Language } from '../text/language.svelte';
import type { QuickWords } from '../text/en-quick';

/** Why a file was not taken, as somebody reads it who has no account here; nothing if it is no refusal of this kind. */
export function why(problem: unknown, most: number, words: QuickWords, language: Language): string | undefined {
  if (problem === 'unreadable') return words.why.changed;
  if (!(problem instanceof Problem)) return undefined;
  switch (problem.code) {
    case 'quick_off':
      return words.why.off;
    case 'file_too_large':
    case 'upload_too_long':
      return words.why.large(size(most, language));
    case 'too_many_quick': {
      const { retryAfter } = problem;
      return retryAfter === null ? words.why.many : words.why.manyUntil(span(retryAfter, language));
    }
    case 'quick_full':
      return words.why.full;
    case 'bad_path':
    case 'bad_name':
      return words.why.name;
    case 'no_quick':
    case 'no_link':
    case 'link_ended':
      return words.why.ended;
  }
  if (problem.status === 507) return words.why.full;
  return problem.passing || problem.detail === '' ? undefined : `${words.why.other} (${problem.detail})`;
}
