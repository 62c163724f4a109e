import type { PdfWords } from './en-pdf';

export const dePdf: PdfWords = {
  pages: (name) => `Seiten von ${name}`,
  page: (number) => `Seite ${number}`,
  number: 'Seite',
  of: (all) => `von ${all.toLocaleString('de')}`,
  larger: 'Größer (+)',
  smaller: 'Kleiner (−)',
  fit: 'So breit wie das Fenster (0)',
  percent: (percent) => `${percent} %`,
  locked: 'Sie hat ein eigenes Passwort. Laden Sie sie herunter und öffnen Sie sie mit einem Programm, das danach fragt',
  drawing: 'Diese Seite wird gezeichnet',
  notDrawn: 'Diese Seite kann nicht gezeigt werden.',
};
