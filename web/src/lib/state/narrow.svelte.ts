import { MediaQuery } from 'svelte/reactivity';

/** Whether the window has room for one column only. */
export const narrow = new MediaQuery('(max-width: 760px)');
