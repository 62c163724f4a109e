import type { Root } from '../api/files';
import type { Choice } from '../upload/arrange';

export interface Question {
  name: string;
  root: Root;
  folder: readonly string[];
  /** How many more may raise the same question. */
  more: number;
  /** Whether what is replaced stays as an older version: so for uploads, not for whole folders. */
  versions: boolean;
  answer: (choice: Choice, all: boolean) => void;
}

/** The question what to do with names that are taken; one is open at a time. */
class Questions {
  open: Question | null = $state.raw(null);

  /** An asker for one piece of work: an answer "for all" holds until its end. */
  asker(versions: boolean, root: Root): (name: string, folder: readonly string[], more: number) => Promise<Choice> {
    let always: Choice | null = null;
    return (name, folder, more) => {
      if (always !== null) return Promise.resolve(always);
      return new Promise((done) => {
        const answer = (choice: Choice, all: boolean) => {
          if (all) always = choice;
          this.open = null;
          done(choice);
        };
        this.open = { name, root, folder, more, versions, answer };
      });
    };
  }
}

export const questions = new Questions();
