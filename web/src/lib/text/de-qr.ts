import type { QrWords } from './en-qr';

/** Words of QR codes, in German. */
export const deQr: QrWords = {
  show: 'Als QR-Code zeigen',
  hide: 'QR-Code ausblenden',
  ofLink: (name) => `QR-Code des Links zu ${name}`,
  drawing: 'Der QR-Code wird gezeichnet',
  save: 'Als Bild speichern',
  failed: 'Der QR-Code lässt sich nicht zeichnen. Der Link gilt trotzdem.',
};
