/** What waits for an operator, in one script: it comes as soon as one is there. */

export { notices } from './notices.svelte';
export { reports } from './reports.svelte';
