/**
 * What a camera wrote into a JPEG (Exif 2.3): read from the file's first bytes, which may be anything at all. Nothing
 * here follows a chain: each table is looked at once, each step of a loop goes forward, and what lies outside is absent.
 */

/** Bytes at the front of a file that hold everything, in practice. */
export const FRONT = 256 * 1024;

export interface Exif {
  width?: number;
  height?: number;
  /** 1 to 8: how the picture is turned for showing. */
  orientation?: number;
  make?: string;
  model?: string;
  /** By the camera's clock, as if it were UTC. */
  taken?: Date;
  /** Seconds. */
  exposure?: number;
  aperture?: number;
  iso?: number;
  /** Millimetres. */
  focal?: number;
  /** Degrees, north and east positive. */
  place?: { latitude: number; longitude: number };
}

/** Everything that can be read; nothing of what cannot. */
export function readExif(bytes: Uint8Array): Exif {
  try {
    return segments(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  } catch {
    // A picture that is shown is worth more than words about it.
    return {};
  }
}

function segments(data: DataView): Exif {
  const found: Exif = {};
  if (data.byteLength < 4 || data.getUint16(0) !== 0xffd8) return found;
  let told = false;
  let at = 2;
  while (at + 4 <= data.byteLength) {
    if (data.getUint8(at) !== 0xff) break;
    const marker = data.getUint8(at + 1);
    // Filling, and markers without a length.
    if (marker === 0xff || marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7)) {
      at += marker === 0xff ? 1 : 2;
      continue;
    }
    // The picture itself begins, or all ends.
    if (marker === 0xda || marker === 0xd9) break;
    const length = data.getUint16(at + 2);
    if (length < 2) break;
    const end = Math.min(data.byteLength, at + 2 + length);
    if (marker === 0xe1 && !told && end - at > 18 && data.getUint32(at + 4) === 0x45786966) {
      told = true;
      Object.assign(found, tiff(new DataView(data.buffer, data.byteOffset + at + 10, end - at - 10)));
    } else if (isFrame(marker) && end - at >= 9) {
      found.height = data.getUint16(at + 5);
      found.width = data.getUint16(at + 7);
    }
    at += 2 + length;
  }
  return found;
}

/** Whether a segment is a frame's head, which has the size. */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

function tiff(data: DataView): Exif {
  const order = data.getUint16(0);
  if (order !== 0x4949 && order !== 0x4d4d) return {};
  const little = order === 0x4949;
  if (data.getUint16(2, little) !== 42) return {};
  const main = new Table(data, little, data.getUint32(4, little));
  const camera = new Table(data, little, main.number(0x8769) ?? 0);
  const where = new Table(data, little, main.number(0x8825) ?? 0);
  const facts = {
    orientation: within(main.number(0x0112), 1, 8),
    make: main.text(0x010f),
    model: main.text(0x0110),
    taken: time(camera.text(0x9003)),
    exposure: within(camera.ratios(0x829a, 1)?.[0], 1e-7, 1e6),
    aperture: within(camera.ratios(0x829d, 1)?.[0], 0.1, 1000),
    iso: within(camera.number(0x8827), 1, 1e7),
    focal: within(camera.ratios(0x920a, 1)?.[0], 0.1, 1e5),
    place: place(where),
  };
  return Object.fromEntries(Object.entries(facts).filter(([, fact]) => fact !== undefined));
}

/** Bytes of one value, by its type. */
const SIZES: Readonly<Record<number, number>> = { 1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 9: 4, 10: 8 };
const FIELDS_MAX = 512;
const TEXT_MAX = 80;

/** One directory of fields. */
class Table {
  readonly #fields = new Map<number, { type: number; count: number; at: number }>();

  constructor(
    private readonly data: DataView,
    private readonly little: boolean,
    start: number,
  ) {
    if (start < 8 || start + 2 > data.byteLength) return;
    const count = Math.min(FIELDS_MAX, data.getUint16(start, little));
    for (let index = 0; index < count; index += 1) {
      const at = start + 2 + index * 12;
      if (at + 12 > data.byteLength) return;
      const type = data.getUint16(at + 2, little);
      const values = data.getUint32(at + 4, little);
      const bytes = (SIZES[type] ?? Infinity) * values;
      const place = bytes <= 4 ? at + 8 : data.getUint32(at + 8, little);
      if (values > 0 && place + bytes <= data.byteLength)
        this.#fields.set(data.getUint16(at, little), { type, count: values, at: place });
    }
  }

  number(tag: number): number | undefined {
    const field = this.#fields.get(tag);
    if (field?.type === 3) return this.data.getUint16(field.at, this.little);
    return field?.type === 4 ? this.data.getUint32(field.at, this.little) : undefined;
  }

  text(tag: number): string | undefined {
    const field = this.#fields.get(tag);
    if (field?.type !== 2) return undefined;
    const bytes = new Uint8Array(this.data.buffer, this.data.byteOffset + field.at, Math.min(TEXT_MAX, field.count));
    const text = new TextDecoder().decode(bytes).split('\0')[0] ?? '';
    // Nothing that would turn or break the line in which it is shown.
    return text.replace(/[\p{C}\s]+/gu, ' ').trim() || undefined;
  }

  ratios(tag: number, count: number): number[] | undefined {
    const field = this.#fields.get(tag);
    if (field === undefined || (field.type !== 5 && field.type !== 10) || field.count < count) return undefined;
    const read = (at: number) =>
      field.type === 5 ? this.data.getUint32(at, this.little) : this.data.getInt32(at, this.little);
    const all = Array.from({ length: count }, (_, index) => read(field.at + index * 8) / read(field.at + index * 8 + 4));
    return all.every(Number.isFinite) ? all : undefined;
  }
}

function within(value: number | undefined, least: number, most: number): number | undefined {
  return value !== undefined && value >= least && value <= most ? value : undefined;
}

/** `2024:03:01 12:30:00`. */
function time(text: string | undefined): Date | undefined {
  const parts = /^(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d):(\d\d)/.exec(text ?? '')?.slice(1).map(Number);
  if (parts === undefined) return undefined;
  const [year = 0, month = 0, date = 0, hour = 0, minute = 0, second = 0] = parts;
  // A clock that was never set writes zeros.
  if (year < 1800 || month < 1 || month > 12 || date < 1 || date > 31) return undefined;
  return new Date(Date.UTC(year, month - 1, date, hour, minute, second));
}

function place(where: Table): Exif['place'] {
  const latitude = degrees(where, 2, where.text(1) === 'S', 90);
  const longitude = degrees(where, 4, where.text(3) === 'W', 180);
  if (latitude === undefined || longitude === undefined || (latitude === 0 && longitude === 0)) return undefined;
  return { latitude, longitude };
}

function degrees(where: Table, tag: number, turned: boolean, most: number): number | undefined {
  const [whole = 0, minutes = 0, seconds = 0] = where.ratios(tag, 3) ?? [NaN];
  const value = (whole + minutes / 60 + seconds / 3600) * (turned ? -1 : 1);
  return within(value, -most, most);
}
