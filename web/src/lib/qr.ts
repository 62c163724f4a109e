/** QR codes, drawn in the browser: what is in them goes to nobody else. Loaded on demand. */

import { encode } from 'uqr';

/** Light modules around the code, without which many readers see none. */
const QUIET = 4;
/** Pixels of a module in a picture: enough for paper. */
const PIXELS = 12;

export interface Qr {
  /** Modules on a side, with the quiet zone. */
  size: number;
  /** The dark modules as the path of an SVG. */
  path: string;
}

export function draw(text: string): Qr {
  const { size, data } = encode(text, { ecc: 'M', border: QUIET });
  const runs: string[] = [];
  for (const [y, line] of data.entries())
    for (let x = 0; x < line.length; x++) {
      if (!line[x]) continue;
      const from = x;
      while (line[x + 1]) x += 1;
      runs.push(`M${from} ${y}h${x - from + 1}v1H${from}z`);
    }
  return { size, path: runs.join('') };
}

/** The same as a picture, always dark on white: that is what readers and printers expect. */
export function picture({ size, path }: Qr): Promise<Blob> {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = size * PIXELS;
  const context = canvas.getContext('2d');
  if (context === null) return Promise.reject(new Error('no canvas'));
  context.fillStyle = '#fff';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.scale(PIXELS, PIXELS);
  context.fillStyle = '#000';
  context.fill(new Path2D(path));
  return new Promise((done, fail) =>
    canvas.toBlob((blob) => (blob === null ? fail(new Error('no picture')) : done(blob)), 'image/png'),
  );
}
