/** Wörter für den Unterhalt, die Betreiber sehen; `en-jobs.ts` gibt die Schlüssel vor. */
import type { JobsWords } from './en-jobs';

const many = (n: number, one: string, more: string) => `${n.toLocaleString('de')} ${n === 1 ? one : more}`;

export const deJobs: JobsWords = {
  title: 'Arbeiten',
  lead: 'Was der Dienst in Runden von selbst tut, ohne dass jemand fragt. Die meisten Arten lassen sich eine Weile auslassen; alles andere geht dann weiter.',
  needing: 'Angehalten, still oder gescheitert',
  others: 'Wie es sein soll',
  allWell: 'Nichts ist angehalten, still oder gescheitert.',
  about: ({ kind, what, pause_means }) => {
    const [name, means, pause] = KINDS[kind] ?? [kind, what, pause_means ?? ''];
    return { name, what: means, pause: pause_means === null ? null : pause };
  },
  states: { paused: 'angehalten', silent: 'still', failed: 'gescheitert', running: 'an der Arbeit', waiting: 'wartet auf ihre Runde' },
  pausedBy: (who, when) => `Angehalten von ${who} seit ${when}.`,
  silent: (time) => `Länger als ${time} ging es nicht gut zu Ende. Was zu tun ist, ist überfällig.`,
  failed: (when, why) => `Gescheitert ${when}: ${why}`,
  failedTodo: 'In der nächsten Runde wird es wieder versucht.',
  jobOf: (done, all) => `${done} von ${all}`,
  left: (time) => `noch etwa ${time}`,
  endedWell: (when) => `Zuletzt gut beendet ${when}`,
  justNow: 'vor einem Augenblick',
  notYet: 'Noch nie gut beendet',
  every: (time) => `alles einmal in ${time}`,
  eachRound: 'in jeder Runde',
  whenAsked: 'nur auf Wunsch',
  next: (when) => `das nächste Mal etwa ${when}`,
  loud: (time) => `Mitteilung nach ${time} Stille`,
  inDays: (n) => many(n, 'Tag', 'Tagen'),
  inHours: (n) => many(n, 'Stunde', 'Stunden'),
  needed: 'Lässt sich nicht anhalten',
  pause: 'Anhalten',
  pauseOf: (name) => `Anhalten: ${name}`,
  pauseMeanwhile: 'Solange gilt:',
  pauseSilence: (time) => `Nach ${time} ohne diese Arbeit erinnert Sie eine Mitteilung. Nichts geht von selbst weiter.`,
  pauseNoSilence: 'Nichts erinnert Sie daran, und nichts geht von selbst weiter.',
  pauseRuns: 'Was gerade läuft, wird nicht abgebrochen.',
  paused: (name) => `Angehalten: ${name}`,
  resume: 'Fortsetzen',
  resumeOf: (name) => `Fortsetzen: ${name}`,
  resumed: (name) => `Es geht weiter: ${name}`,
};

/** Name, was getan wird, und was gilt, solange es ruht (leer: es lässt sich nicht anhalten). */
const KINDS: Readonly<Record<string, readonly [string, string, string]>> = {
  probe: ['Ziele ansehen', 'Sieht jedes Ziel an: Ist es da, ist es unseres, ist es, wie es war?', ''],
  return: ['Zurückgekehrtes vergleichen', 'Vergleicht, was zurückgekehrte Ziele haben, bevor es wieder zählt.', ''],
  uploads: [
    'Liegengebliebenes beenden',
    'Beendet das Hochladen, das niemand in seiner Zeit fortgesetzt hat.',
    'Unfertiges Hochladen bleibt und braucht Platz.',
  ],
  repair: [
    'Reparatur',
    'Macht neu, was fehlt oder beschädigt ist; was am wenigsten Spielraum hat, zuerst.',
    'Nichts wird neu gemacht, bis es weitergeht: Mit jedem Anbieter, der ausfällt, schrumpft der Spielraum. Neue Dateien werden weiter sicher geschrieben, und was bestätigt ist, bleibt lesbar, solange genug da ist.',
  ],
  pack: [
    'Kleine Dateien packen',
    'Bringt kleine Dateien aus dem Journal in Packs.',
    'Kleine Dateien bleiben im Journal, das mehr Platz braucht; sie sind dort sicher.',
  ],
  snapshot: [
    'Schnappschüsse schreiben',
    'Hält fest, wohin das Journal führte, damit ein Wiederaufbau nicht alles davon lesen muss.',
    'Das Journal wächst, und ein Wiederaufbau dauert länger.',
  ],
  count: [
    'Kopierte Objekte zählen',
    'Zählt kopierte Objekte für die Überwachung.',
    'Die Zahlen von „/metrics“ über kopierte Objekte veralten.',
  ],
  checkpoint: [
    'Register unterschreiben',
    'Unterschreibt das Register und gibt jedem Anbieter eine Abschrift.',
    'Was inzwischen ins Register kommt, liegt nicht unterschrieben bei den Anbietern.',
  ],
  release: [
    'Journal loslassen',
    'Lässt Objekte des Journals los, die Packs und Schnappschüsse abdecken.',
    'Das Journal wächst; nichts geht verloren.',
  ],
  keys: [
    'Schlüssel vernichten',
    'Vernichtet die Schlüssel gelöschter Konten nach ihrer Frist.',
    'Schlüssel gelöschter Konten bleiben, bis es weitergeht: Die Zusage, sie rechtzeitig zu löschen, wird nicht gehalten.',
  ],
  released: [
    'Kopierte Objekte löschen',
    'Löscht kopierte Objekte, die losgelassen wurden, nach ihrer Frist.',
    'Objekte des Journals und Schnappschüsse, die nichts mehr braucht, behalten ihren Platz; nichts geht verloren.',
  ],
  evacuate: [
    'Alles wegbringen',
    'Bringt alles von Zielen weg, die verlassen werden, und bescheinigt es.',
    'Nichts wird weggebracht, welches Datum auch beauftragt ist.',
  ],
  sample: [
    'Stichprobe',
    'Liest von jedem Stück einige zufällige Blöcke.',
    'Eine schlechte Platte fällt erst auf, wenn Dateien gelesen werden oder alles gelesen wird.',
  ],
  scrub: [
    'Prüfung',
    'Liest alles ganz und prüft es, Verdächtiges zuerst.',
    'Schäden fallen nur auf, wo jemand liest, und Beweise veralten; Verdächtiges zählt nicht wieder.',
  ],
  repack: [
    'Umpacken',
    'Schreibt Packs neu, in denen das meiste tot ist.',
    'Tote Bytes in lebenden Packs behalten ihren Platz; nichts geht verloren.',
  ],
  fill: [
    'Neue Ziele füllen',
    'Bringt alte Packs zu Anbietern, die dazugekommen sind.',
    'Neue Anbieter bekommen nur neue Packs; nichts geht verloren.',
  ],
  reclaim: [
    'Platz zurückholen',
    'Löscht, was nach den Aufzeichnungen tot ist, nach seiner Frist und in seiner Menge.',
    'Nichts wird gelöscht, und der Platz kommt nicht zurück; das schadet nichts.',
  ],
  listing: [
    'Aufzählung',
    'Liest die Namen an jedem Ziel: Was fehlt oder zu kurz ist, ist schlecht, was niemand kennt, wird gemeldet.',
    'Was ein Anbieter verloren hat, fällt erst beim Lesen auf, und Fremdes wird nicht gemeldet.',
  ],
  retire: [
    'Ziele ausmustern',
    'Nimmt ausgemusterte Ziele aus den Aufzeichnungen und vergisst sie.',
    'Ziele, die ausgemustert werden sollen, bleiben.',
  ],
  books: ['Bücher führen', 'Hält fest, wonach Anbieter gefragt wurden, den Verlauf und wie der Unterhalt steht.', ''],
  drill: [
    'Übung',
    'Liest eine Stichprobe ohne einen Anbieter, jedes Mal einen anderen, wenn die Einstellungen es verlangen.',
    'Keine Übung beginnt von selbst, und der Beweis, dass jeder Anbieter gehen darf, veraltet.',
  ],
};
