/** Words of what an account's plan allows, for who has it and for guests. `de-plan.ts` has the same keys. */
const many = (n: number, one: string, more: string) => `${n.toLocaleString('en')} ${n === 1 ? one : more}`;

export const enPlan = {
  title: 'What your plan allows',
  named: (plan: string) => `Your plan is “${plan}”.`,
  unnamed: 'These limits hold for your account.',
  file: (size: string) => `A file may be up to ${size} large.`,
  keep: (days: number) =>
    `A file stays for ${many(days, 'day', 'days')} after it was stored, and then goes to the trash. A new version begins anew.`,
  traffic: (used: string, all: string) => `Others may fetch ${all} a day by your links; ${used} of it went out today.`,
  spent: 'Today’s traffic is used up: your links go on tomorrow. You can fetch your own files as ever.',
  speed: (rate: string) => `Guests of your links together download at up to ${rate} per second.`,
  ask: 'If that is too little, ask the operator of this service.',
  tooLarge: (size: string) => `This file is larger than the ${size} that your plan allows for one file. Nothing of it was sent.`,
  tooLargeTodo: 'Send it in smaller parts, or ask the operator for a larger limit.',
  ownerTooLarge: 'This file is larger than the plan of the owner allows for one file. Nothing of it was kept.',
  stays: (day: string) => `Stays until ${day}, then it goes to the trash`,
  guestTitle: 'Downloads pause for a while',
  guestHint: (owner: string) => `As much was downloaded by links of ${owner} today as their plan allows.`,
  guestHintPlain: 'As much was downloaded by links of its owner today as their plan allows.',
  guestOn: (time: string) => `It goes on at ${time}. The link stays the same; nothing is lost.`,
};
export type PlanWords = typeof enPlan;
