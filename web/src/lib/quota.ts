/** Decimal units of a quota, as sizes are shown. */
export const UNITS = { MB: 1e6, GB: 1e9, TB: 1e12 } as const;
export type Unit = keyof typeof UNITS;

/** A quota as a form holds it: in the greatest unit that shows it without rounding much. */
export function inUnits(bytes: number): { amount: number; unit: Unit } {
  const unit = bytes >= 1e12 ? 'TB' : bytes >= 1e9 ? 'GB' : 'MB';
  return { amount: Math.round((bytes / UNITS[unit]) * 1000) / 1000, unit };
}

export function inBytes(amount: number, unit: Unit): number {
  return Math.round(amount * UNITS[unit]);
}
