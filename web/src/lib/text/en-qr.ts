/** Words of QR codes. `de-qr.ts` has the same keys. */
export const enQr = {
  show: 'Show as a QR code',
  hide: 'Hide the QR code',
  ofLink: (name: string) => `QR code of the link to ${name}`,
  drawing: 'Drawing the QR code',
  save: 'Save as a picture',
  failed: 'The QR code cannot be drawn. The link is good all the same.',
};
export type QrWords = typeof enQr;
