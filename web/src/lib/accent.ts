/**
 * The leading colour of a service, made fit to be read: one shade for light and one for dark, each with enough contrast
 * (WCAG AA) to every ground that it is written on. The hue is the operator's, how dark or light it must be is not.
 */

type Rgb = readonly [number, number, number];

/** A shade, what is written on it, and the ground of what is chosen. */
export interface Accent {
  accent: string;
  ink: string;
  soft: string;
}

/** One for each look; a service keeps them in the browser. */
export type Accents = Record<'light' | 'dark', Accent>;

/** What text needs beside its ground; a little more than 4.5, for rounding. */
const ENOUGH = 4.6;

/** One look of tokens.css: where its shades go until they can be read, and what the accent is written on. */
interface Look {
  end: Rgb;
  ink: string;
  /** `--sheet`, and how much of the accent the soft ground has over it. */
  sheet: string;
  share: number;
  /** `--paper`, `--raised`, `--hover`, `--warn-soft`, `--bad-soft`. */
  grounds: readonly string[];
}

const LIGHT: Look = {
  end: [0, 0, 0],
  ink: '#ffffff',
  sheet: '#fdfcf9',
  share: 0.14,
  grounds: ['#f4f2ec', '#ffffff', '#ece9e0', '#f8ead0', '#f8e0dc'],
};

const DARK: Look = {
  end: [255, 255, 255],
  ink: '#0d1b1d',
  sheet: '#162024',
  share: 0.16,
  grounds: ['#10181b', '#1d292e', '#1f2b30', '#3a2f1b', '#412522'],
};

/** Both shades of a colour; none if it is none, and the house colour stays. */
export function accents(colour: string | null): Accents | null {
  if (colour === null || !/^#[0-9a-f]{6}$/i.test(colour)) return null;
  return { light: fit(read(colour), LIGHT), dark: fit(read(colour), DARK) };
}

/** Contrast of two colours, from 1 to 21. */
export function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(read(one)), luminance(read(other))].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

function fit(own: Rgb, { end, ink, sheet, share, grounds }: Look): Accent {
  const steps = 32;
  // The last step is black or white, which can be read on any of them.
  for (let step = 0; ; step += 1) {
    const accent = write(mix(own, end, step / steps));
    const soft = write(mix(read(sheet), read(accent), share));
    const readable = [sheet, soft, ...grounds].every((ground) => contrast(accent, ground) >= ENOUGH);
    if (readable || step === steps) return { accent, ink, soft };
  }
}

function mix(from: Rgb, to: Rgb, share: number): Rgb {
  const part = (at: 0 | 1 | 2) => from[at] + (to[at] - from[at]) * share;
  return [part(0), part(1), part(2)];
}

function luminance(colour: Rgb): number {
  const [red = 0, green = 0, blue = 0] = colour.map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function read(colour: string): Rgb {
  const part = (at: number) => parseInt(colour.slice(at, at + 2), 16);
  return [part(1), part(3), part(5)];
}

function write(colour: Rgb): string {
  return `#${colour.map((part) => Math.round(part).toString(16).padStart(2, '0')).join('')}`;
}
