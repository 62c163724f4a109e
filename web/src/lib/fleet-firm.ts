/** A firm that is left, as its targets say it: one order may be about some of them or all. No state. */
import type { Evacuation, Provider, Target } from './api/types';

/** What was ordered of a firm's targets, worst first: the words of its stage have this name. */
export type Stage = 'stateRetiring' | 'stateEvacuated' | 'statePaused' | 'stateEvacuating' | 'stateCordoned';

/** Targets that can be left: neither lost nor retired. */
export const present = (provider: Provider): Target[] =>
  provider.targets.filter(({ state }) => state !== 'retired' && state !== 'lost');

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
export function stage(provider: Provider): Stage | null {
  const all = provider.targets.map(stageOf);
  const order: Stage[] = ['stateRetiring', 'statePaused', 'stateEvacuating', 'stateEvacuated', 'stateCordoned'];
  return order.find((one) => all.includes(one)) ?? null;
}

/** The orders to move everything away, each with how many targets it is about. */
export function evacuations(provider: Provider): { evacuation: Evacuation; targets: number }[] {
  const found = new Map<string, { evacuation: Evacuation; targets: number }>();
  for (const { evacuation } of present(provider)) {
    if (evacuation === null) continue;
    const before = found.get(evacuation.order)?.targets ?? 0;
    found.set(evacuation.order, { evacuation, targets: before + 1 });
  }
  return [...found.values()];
}

/** Bytes that lie at a firm by the records. */
export const stored = (provider: Provider): number =>
  present(provider).reduce((sum, { stored_bytes }) => sum + stored_bytes, 0);

/** The certificate as a file to be kept: what was proven of whom, under which order. */
export function certificate(provider: Provider, cluster: string, { order, ordered, by, certificate }: Evacuation): Blob {
  const targets = present(provider).filter(({ evacuation }) => evacuation?.order === order);
  const places = targets.map(({ id, address }) => ({ id, address }));
  const kept = { provider: provider.name, cluster, order, ordered, by, targets: places, certificate };
  return new Blob([JSON.stringify(kept, null, 2), '\n'], { type: 'application/json' });
}
