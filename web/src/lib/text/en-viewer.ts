/** Words of the viewer. `de-viewer.ts` has the same keys. */

export const enViewer = {
  previous: 'Previous',
  next: 'Next',
  full: 'Full screen (F)',
  close: 'Close (Escape)',
  noPreview: 'No preview for this kind of file',
  tooLong: 'Too long to show as text',
  loading: (size: string) => `Loading ${size}`,
  failed: 'It cannot be shown. Try to download it instead.',
  gone: 'This file is not among what is loaded.',
  shownAs: 'Show',
  laidOut: 'Laid out',
  asText: 'As text',
};
export type ViewerWords = typeof enViewer;
