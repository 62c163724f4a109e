/** Words of the fleet in English, which operators see. `de-fleet.ts` has the same keys. */
const many = (n: number, one: string, more: string) => `${n.toLocaleString('en')} ${n === 1 ? one : more}`;

export const enFleet = {
  title: 'Fleet',
  scheme: 'Scheme',
  settled: 'Everything is settled: any one provider may vanish, and then any one shard, and nothing is lost.',
  unreadable: (n: number) => `${many(n, 'file', 'files')} cannot be read now.`,
  atRisk: (n: number) => `${many(n, 'file', 'files')} may not survive the loss of one more provider.`,
  unsettled: (n: number) => `${many(n, 'file is', 'files are')} safe, but not settled yet.`,
  inner: 'All files are settled, but not all records of the catalogue yet.',
  innerAtRisk: 'Something that the service keeps for itself may not survive the loss of one more provider.',
  packs: (n: number) => `${many(n, 'pack is', 'packs are')} not settled yet.`,
  margin: (n: number) =>
    n === 0 ? 'Margin: no provider may vanish now' : `Margin: ${many(n, 'provider', 'providers')} may vanish`,
  trial: 'This is a trial: all providers are folders on one disk. It survives a wiped folder, not a dead disk.',
  providers: 'Providers',
  free: (size: string) => `${size} free`,
  freeUnknown: 'free space unknown',
  findings: 'Findings',
  noFindings: 'No findings.',
  jobs: 'At work',
  jobOf: (done: string, all: string) => `${done} of ${all}`,
  up: 'up',
  down: 'down',
  suspect: 'suspect',
  lost: 'lost',
  retired: 'retired',
  kits: (n: number) => `${many(n, 'recovery kit was', 'recovery kits were')} never tested.`,
  operatorKit: 'The operator’s kit is missing or out of date: holdfast kit make --operator',
  refresh: 'Look again',
};
export type FleetWords = typeof enFleet;
