/** A firm, a server or a target that is left, as its targets say it: one order may be about some of them or all. No state. */
import type { FleetOrder, Said, Whom } from './api/orders';
import type { StagedChange } from './api/stage';
import type { Evacuation, Lease, Provider, Target } from './api/types';

/** Labels that mean something by themselves; any other may be given too. */
export const USUAL_LABELS: readonly string[] = [
  'owner',
  'country',
  'payment',
  'network',
  'disk',
  'credential',
  'price.currency',
  'price.tb_month',
  'price.gb_out',
  'price.million_requests',
  'price.minimum_days',
  'budget.bytes_per_s',
  'budget.requests_month',
  'budget.month',
];

/** Whom an order is for: a firm, a server of it, or one target. */
export interface Subject {
  kind: 'firm' | 'server' | 'target';
  /** What people call it: it is typed once more before its end. */
  name: string;
  /** Whose it is. */
  firm: string;
  whom: Whom;
  targets: Target[];
}

export const asFirm = ({ name, targets }: Provider): Subject => {
  return { kind: 'firm', name, firm: name, whom: { provider: name }, targets };
};

export const asTarget = ({ name }: Provider, target: Target): Subject => {
  return { kind: 'target', name: target.address, firm: name, whom: { target: target.address }, targets: [target] };
};

/** The servers of a firm that its leases name, with those of its targets that lie on each. */
export function servers({ name, targets }: Provider, leases: readonly Lease[]): Subject[] {
  const own = leases.filter(({ provider, state }) => provider === name && state !== 'ended');
  const all = own.flatMap((lease) => lease.servers);
  return all.map((server) => ({
    kind: 'server',
    name: server.name,
    firm: name,
    whom: { server: server.name, provider: name },
    targets: targets.filter(({ id }) => server.targets.includes(id)),
  }));
}

/** Orders that can be staged: the others are for now. */
const STAGED: ReadonlySet<FleetOrder> = new Set(['cordon', 'uncordon', 'evacuate', 'cancel', 'retire']);
export const stageable = (order: FleetOrder): boolean => STAGED.has(order);

/** An order as a change that is staged. */
export function asChange(whom: Whom, { order, by, keep_shards }: Said): StagedChange {
  if (!stageable(order)) throw new Error(`${order} is not staged`);
  const verb = order as StagedChange['verb'];
  return { ...whom, verb, ...(by === undefined ? {} : { by }), ...(keep_shards ? { keep_shards } : {}) };
}

/** What was ordered of a firm's targets, worst first: the words of its stage have this name. */
export type Stage = 'stateRetiring' | 'stateEvacuated' | 'statePaused' | 'stateEvacuating' | 'stateCordoned';

/** Targets that can be left: neither lost nor retired. */
export const present = ({ targets }: Pick<Subject, 'targets'>): Target[] =>
  targets.filter(({ state }) => state !== 'retired' && state !== 'lost');

/** How far one target is from being left. */
export function stageOf(target: Target): Stage | null {
  if (target.state === 'retired') return null;
  if (target.retiring) return 'stateRetiring';
  const state = target.evacuation?.state;
  if (state === 'evacuated') return 'stateEvacuated';
  if (state === 'paused') return 'statePaused';
  if (state === 'evacuating') return 'stateEvacuating';
  return target.cordoned ? 'stateCordoned' : null;
}

/** How far the firm is: what is true of the target that was ordered most. */
export function stage({ targets }: Pick<Subject, 'targets'>): Stage | null {
  const all = targets.map(stageOf);
  const order: Stage[] = ['stateRetiring', 'statePaused', 'stateEvacuating', 'stateEvacuated', 'stateCordoned'];
  return order.find((one) => all.includes(one)) ?? null;
}

/** The orders to move everything away, each with how many targets it is about. */
export function evacuations(subject: Pick<Subject, 'targets'>): { evacuation: Evacuation; targets: number }[] {
  const found = new Map<string, { evacuation: Evacuation; targets: number }>();
  for (const { evacuation } of present(subject)) {
    if (evacuation === null) continue;
    const before = found.get(evacuation.order)?.targets ?? 0;
    found.set(evacuation.order, { evacuation, targets: before + 1 });
  }
  return [...found.values()];
}

/** Bytes that lie at a firm by the records. */
export const stored = (subject: Pick<Subject, 'targets'>): number =>
  present(subject).reduce((sum, { stored_bytes }) => sum + stored_bytes, 0);

/** The certificate as a file to be kept: what was proven of whom, under which order. */
export function certificate(subject: Subject, cluster: string, { order, ordered, by, certificate }: Evacuation): Blob {
  const targets = present(subject).filter(({ evacuation }) => evacuation?.order === order);
  const places = targets.map(({ id, address }) => ({ id, address }));
  const kept = { provider: subject.firm, cluster, order, ordered, by, targets: places, certificate };
  return new Blob([JSON.stringify(kept, null, 2), '\n'], { type: 'application/json' });
}
