import { router } from './router.svelte';

/** Addresses that are given to other people. */

export function shareAddress(code: string): string {
  return location.origin + router.href({ view: 'guest', code, path: [] });
}

export function invitationAddress(code: string): string {
  return location.origin + router.href({ view: 'join', code });
}

export function resetAddress(code: string): string {
  return location.origin + router.href({ view: 'reset', code });
}
