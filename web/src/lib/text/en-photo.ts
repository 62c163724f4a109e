/** Words for looking at pictures, in English. `de-photo.ts` has the same keys. */
const many = (n: number) => `${n.toLocaleString('en')} ${n === 1 ? 'entry' : 'entries'}`;

export const enPhoto = {
  day: (day: string, n: number) => `${day}, ${many(n)}`,
  months: 'Month that is shown',
  more: 'Older ones are loaded when you go to the end',
  details: 'Details (I)',
  title: 'Details',
  close: 'Close the details',
  reading: 'Reading what the camera wrote',
  none: 'The picture says nothing of a camera.',
  failed: 'What the camera wrote cannot be read now.',
  name: 'Name',
  size: 'Size',
  modified: 'Modified',
  taken: 'Taken',
  pixels: 'Pixels',
  megapixels: (n: string) => `${n} megapixels`,
  camera: 'Camera',
  exposure: 'Exposure',
  seconds: (s: string) => `${s} s`,
  iso: (n: string) => `ISO ${n}`,
  focal: (mm: string) => `${mm} mm`,
  place: 'Place',
  turned: 'Orientation',
  turns: ['upright', 'mirrored', 'turned by 180°', 'mirrored, turned by 180°', 'mirrored, turned by 90° to the left',
    'turned by 90° to the right', 'mirrored, turned by 90° to the right', 'turned by 90° to the left'],
  smaller: (size: string) => `Shown smaller than it is: the original has ${size}.`,
  original: 'Download the original',
  noOriginal: 'The original cannot be shown. This is a smaller picture of it.',
};

export type PhotoWords = typeof enPhoto;
