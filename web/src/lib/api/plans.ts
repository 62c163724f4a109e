import { ask, send } from './http';
import type { Plan, Plans } from './schema';

export type { Limits, Plan } from './schema';

/** The limits of a plan. None of one: as much as there is. */
export type PlanTerms = Omit<Plan, 'name' | 'accounts'>;

const one = (name: string) => `plans/${encodeURIComponent(name)}`;

export const plans = async () => (await ask<Plans>('GET', 'plans')).plans;
export const putPlan = (name: string, terms: PlanTerms) => ask<Plan>('PUT', one(name), terms);
export const removePlan = (name: string) => send('DELETE', one(name));
