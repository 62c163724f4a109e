import type { ViewerWords } from './en-viewer';

/** Words of the viewer, in German. */
export const deViewer: ViewerWords = {
  previous: 'Vorige',
  next: 'Nächste',
  full: 'Vollbild (F)',
  close: 'Schließen (Escape)',
  noPreview: 'Für diese Art gibt es keine Vorschau',
  tooLong: 'Zu lang, um als Text gezeigt zu werden',
  loading: (size) => `${size} werden geladen`,
  failed: 'Es lässt sich nicht zeigen. Versuchen Sie, es herunterzuladen.',
  gone: 'Diese Datei ist nicht unter dem, was geladen ist.',
  shownAs: 'Zeigen',
  laidOut: 'Gestaltet',
  asText: 'Als Text',
};
