/** What whoever is signed in sees first, in one script. */

export { default as Frame } from '../parts/Frame.svelte';
export { default as Files } from './Files.svelte';
