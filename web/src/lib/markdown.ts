/**
 * Markdown laid out as a document of its own, for a frame in which nothing runs. Loaded on demand.
 *
 * The frame's sandbox and policy keep it from running anything and from asking anybody. What is here sees to it that it
 * does not even want to: HTML in the text is shown as text, pictures from elsewhere as their words, and links as the
 * address that they lead to, for a frame without rights can open none.
 */

import { Marked, type Tokens } from 'marked';
import sheet from './markdown.css?url';

const marked = new Marked({
  gfm: true,
  async: false,
  renderer: {
    html: ({ text, block }) => (block ? `<p>${escape(text)}</p>` : escape(text)),
    image: ({ href, text }) =>
      /^data:image\/[a-z0-9.+-]+[;,]/i.test(href)
        ? `<img src="${escape(href)}" alt="${escape(text)}">`
        : `<span class="away">[${escape(text === '' ? href : text)}]</span>`,
    link({ href, tokens, text }: Tokens.Link) {
      const words = this.parser.parseInline(tokens);
      const said = href === text || href === `mailto:${text}` || href.startsWith('#');
      return `<u>${words}</u>${said ? '' : ` <span class="away">(${escape(href)})</span>`}`;
    },
  },
});

/** The whole document for `srcdoc`. `look` is the page's choice, so that the frame is light or dark with it. */
export function layOut(text: string, title: string, look: string): string {
  const address = new URL(sheet, document.baseURI).href;
  // The page's own policy holds in the frame too, and lets no style in that is written in the document: the sheet is
  // the one thing that may be fetched, by its whole address.
  const policy = `default-src 'none'; style-src ${address}; img-src data:`;
  return [
    `<!doctype html><html lang="" data-look="${escape(look)}"><meta charset="utf-8">`,
    `<meta http-equiv="Content-Security-Policy" content="${escape(policy)}">`,
    `<meta name="color-scheme" content="${scheme(look)}"><title>${escape(title)}</title>`,
    `<link rel="stylesheet" href="${escape(address)}"><body>`,
    marked.parse(text) as string,
  ].join('');
}

function scheme(look: string): string {
  return look === 'light' || look === 'dark' ? look : 'light dark';
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
