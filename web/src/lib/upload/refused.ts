import { Problem } from '../api/http';
import { size } from '../format';
import { session } from '../state/session.svelte';
import { PLAN_WORDS } from '../text/plan';
import { texts } from '../text/language.svelte';
import type { UploadItem } from './item.svelte';

/** What is said of a file that is larger than a plan allows; nothing if that is not why it failed. */
export function tooLarge({ state, problem, isForOther }: UploadItem): string | undefined {
  if (state !== 'failed' || !(problem instanceof Problem) || problem.code !== 'file_too_large') return undefined;
  const words = PLAN_WORDS[texts.language];
  const most = session.account?.limits?.file_bytes;
  if (isForOther || most == null) return words.ownerTooLarge;
  return `${words.tooLarge(size(most, texts.language))} ${words.tooLargeTodo}`;
}
