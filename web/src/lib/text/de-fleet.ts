/** Wörter der Flotte, die Betreiber sehen; `en-fleet.ts` gibt die Schlüssel vor. */
import type { FleetWords } from './en-fleet';

const many = (n: number, one: string, more: string) => `${n.toLocaleString('de')} ${n === 1 ? one : more}`;

export const deFleet: FleetWords = {
  title: 'Flotte',
  scheme: 'Schema',
  settled:
    'Alles ist gefestigt: Ein beliebiger Anbieter darf verschwinden, danach ein beliebiges Stück, und nichts ist verloren.',
  unreadable: (n) => `${many(n, 'Datei ist', 'Dateien sind')} jetzt nicht lesbar.`,
  atRisk: (n) =>
    `${many(n, 'Datei übersteht', 'Dateien überstehen')} den Verlust eines weiteren Anbieters vielleicht nicht.`,
  unsettled: (n) => `${many(n, 'Datei ist', 'Dateien sind')} sicher, aber noch nicht gefestigt.`,
  inner: 'Alle Dateien sind gefestigt, aber noch nicht alle Aufzeichnungen des Katalogs.',
  innerAtRisk:
    'Etwas, was der Dienst für sich aufbewahrt, übersteht den Verlust eines weiteren Anbieters vielleicht nicht.',
  packs: (n) => `${many(n, 'Pack ist', 'Packs sind')} noch nicht gefestigt.`,
  margin: (n) =>
    n === 0
      ? 'Spielraum: Jetzt darf kein Anbieter verschwinden'
      : `Spielraum: ${many(n, 'Anbieter darf', 'Anbieter dürfen')} verschwinden`,
  trial:
    'Dies ist eine Probe: Alle Anbieter sind Ordner auf einer Platte. Sie übersteht einen gelöschten Ordner, nicht eine tote Platte.',
  providers: 'Anbieter',
  free: (size) => `${size} frei`,
  freeUnknown: 'freier Platz unbekannt',
  findings: 'Befunde',
  noFindings: 'Keine Befunde.',
  jobs: 'In Arbeit',
  jobOf: (done, all) => `${done} von ${all}`,
  up: 'erreichbar',
  down: 'nicht erreichbar',
  suspect: 'fraglich',
  lost: 'verloren',
  retired: 'ausgemustert',
  kits: (n) => `${many(n, 'Rettungsblatt wurde', 'Rettungsblätter wurden')} nie geprobt.`,
  operatorKit: 'Das Rettungsblatt des Betreibers fehlt oder ist veraltet: holdfast kit make --operator',
  refresh: 'Neu ansehen',
};
