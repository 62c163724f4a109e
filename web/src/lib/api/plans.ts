import { ask, send } from './http';

/** A named set of limits. None of a limit: as much as there is. */
export interface PlanTerms {
  space_bytes: number | null;
  file_bytes: number | null;
  /** A file goes to the trash that many days after its current version was stored. */
  keep_days: number | null;
  /** What guests may fetch by the links of an account, in a day. */
  link_bytes_per_day: number | null;
  guest_bytes_per_s: number | null;
}

export interface Plan extends PlanTerms {
  name: string;
  /** How many have it. */
  accounts: number;
}

/** What holds for the own account beside its space. */
export interface Limits extends Omit<PlanTerms, 'space_bytes'> {
  plan: string | null;
  link_bytes_today: number;
}

const one = (name: string) => `plans/${encodeURIComponent(name)}`;

export const plans = async () => (await ask<{ plans: Plan[] }>('GET', 'plans')).plans;
export const putPlan = (name: string, terms: PlanTerms) => ask<Plan>('PUT', one(name), terms);
export const removePlan = (name: string) => send('DELETE', one(name));
