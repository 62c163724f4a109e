import type { PhotoWords } from './en-photo';

/** Words for looking at pictures, in German. */
const many = (n: number) => `${n.toLocaleString('de')} ${n === 1 ? 'Eintrag' : 'Einträge'}`;

export const dePhoto: PhotoWords = {
  day: (day, n) => `${day}, ${many(n)}`,
  months: 'Gezeigter Monat',
  more: 'Ältere werden geladen, wenn Sie ans Ende gehen',
  details: 'Einzelheiten (I)',
  title: 'Einzelheiten',
  close: 'Einzelheiten schließen',
  reading: 'Was die Kamera schrieb, wird gelesen',
  none: 'Das Bild sagt nichts über eine Kamera.',
  failed: 'Was die Kamera schrieb, lässt sich gerade nicht lesen.',
  name: 'Name',
  size: 'Größe',
  modified: 'Geändert',
  taken: 'Aufgenommen',
  pixels: 'Bildpunkte',
  megapixels: (n) => `${n} Megapixel`,
  camera: 'Kamera',
  exposure: 'Belichtung',
  seconds: (s) => `${s} s`,
  iso: (n) => `ISO ${n}`,
  focal: (mm) => `${mm} mm`,
  place: 'Ort',
  turned: 'Ausrichtung',
  turns: ['aufrecht', 'gespiegelt', 'um 180° gedreht', 'gespiegelt, um 180° gedreht', 'gespiegelt, um 90° nach links gedreht',
    'um 90° nach rechts gedreht', 'gespiegelt, um 90° nach rechts gedreht', 'um 90° nach links gedreht'],
  smaller: (size) => `Kleiner gezeigt, als es ist: Das Original hat ${size}.`,
  original: 'Original herunterladen',
  noOriginal: 'Das Original lässt sich nicht zeigen. Dies ist ein kleineres Bild davon.',
};
