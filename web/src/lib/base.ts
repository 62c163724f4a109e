/** Path below which the page is served, with a slash at its end; `<base>` in the document says it. */
export const BASE = new URL('.', document.baseURI).pathname;

/** Root of the HTTP interface. */
export const API = new URL('api/v1/', document.baseURI).href;
