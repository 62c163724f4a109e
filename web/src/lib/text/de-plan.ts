import type { PlanWords } from './en-plan';

/** Words of what an account's plan allows, in German. */
const many = (n: number, one: string, more: string) => `${n.toLocaleString('de')} ${n === 1 ? one : more}`;

export const dePlan: PlanWords = {
  title: 'Was Ihr Tarif erlaubt',
  named: (plan) => `Ihr Tarif heißt „${plan}“.`,
  unnamed: 'Diese Grenzen gelten für Ihr Konto.',
  file: (size) => `Eine Datei darf bis zu ${size} groß sein.`,
  keep: (days) =>
    `Eine Datei bleibt ${many(days, 'Tag', 'Tage')}, nachdem sie gespeichert wurde, und kommt dann in den Papierkorb. Mit einer neuen Fassung beginnt das neu.`,
  traffic: (used, all) => `Andere dürfen über Ihre Links ${all} am Tag abrufen; ${used} davon gingen heute hinaus.`,
  spent: 'Das Datenvolumen von heute ist aufgebraucht: Ihre Links gehen morgen weiter. Ihre eigenen Dateien rufen Sie ab wie immer.',
  speed: (rate) => `Die Gäste Ihrer Links laden zusammen mit bis zu ${rate} in der Sekunde herunter.`,
  ask: 'Ist das zu wenig, so fragen Sie den Betreiber dieses Dienstes.',
  tooLarge: (size) => `Diese Datei ist größer als die ${size}, die Ihr Tarif für eine Datei erlaubt. Nichts davon wurde gesendet.`,
  tooLargeTodo: 'Senden Sie sie in kleineren Teilen, oder bitten Sie den Betreiber um eine höhere Grenze.',
  ownerTooLarge: 'Diese Datei ist größer, als es der Tarif des Besitzers für eine Datei erlaubt. Nichts davon wurde behalten.',
  stays: (day) => `Bleibt bis ${day}, dann kommt sie in den Papierkorb`,
  guestTitle: 'Downloads machen eine Pause',
  guestHint: (owner) => `Über Links von ${owner} wurde heute so viel heruntergeladen, wie der Tarif erlaubt.`,
  guestHintPlain: 'Über Links des Besitzers wurde heute so viel heruntergeladen, wie der Tarif erlaubt.',
  guestOn: (time) => `Es geht weiter: ${time}. Der Link bleibt derselbe; nichts ist verloren.`,
};
