/** Words of a PDF that is looked at. `de-pdf.ts` has the same keys. */

export const enPdf = {
  pages: (name: string) => `Pages of ${name}`,
  page: (number: number) => `Page ${number}`,
  number: 'Page',
  of: (all: number) => `of ${all.toLocaleString('en')}`,
  larger: 'Larger (+)',
  smaller: 'Smaller (−)',
  fit: 'As wide as the window (0)',
  percent: (percent: number) => `${percent} %`,
  locked: 'It has a password of its own. Download it, and open it with a program that asks for it',
  drawing: 'Drawing this page',
  notDrawn: 'This page cannot be shown.',
};
export type PdfWords = typeof enPdf;
