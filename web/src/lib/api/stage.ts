import { ask } from './http';
import type { Stage, StageDone, StagedChange, StagedShown, StageEffect, StageEntry, StageSide } from './schema';

// Changes of the fleet that were said and not done: looked at together, made at once or not at all.

export type { Stage, StagedChange, StagedShown, StageEffect, StageEntry, StageSide };

/** What is staged, and what it would do, which takes a look at everything as soon as something is. */
export const staged = () => ask<Stage>('GET', 'fleet/stage');
export const addToStage = (changes: StagedChange[]) => ask<Stage>('POST', 'fleet/stage', { changes });
/** Makes all of them, if this is still their number. */
export const applyStage = async (number: number) => (await ask<StageDone>('POST', 'fleet/stage/apply', { number })).changes;
export const revertStage = async () => (await ask<StageDone>('DELETE', 'fleet/stage')).changes;
