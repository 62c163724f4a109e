import { reloaded, reloadOnce } from '../reload';
import type { Text } from './en';

export const LANGUAGES = { en: 'English', de: 'Deutsch' } as const;
export type Language = keyof typeof LANGUAGES;

const KEY = 'holdfast.language';

/** Each language is a script of its own, so that nobody waits for words they do not read. */
const LOAD: Readonly<Record<Language, () => Promise<Text>>> = {
  en: async () => (await import('./en')).en,
  de: async () => (await import('./de')).de,
};

/** The language of the page: the one chosen, else the first of the browser's that we have. */
class Texts {
  language: Language = $state('en');
  /** All words. There are none before `start`, and nothing is shown before it. */
  text: Text = $state.raw({} as Text);

  /** Loads the words in use. Where they cannot be had, not even anew, those of another language are better than none. */
  async start(): Promise<void> {
    const wanted = [localStorage.getItem(KEY) ?? '', ...navigator.languages];
    const known = wanted.map((tag) => tag.slice(0, 2).toLowerCase()).find(isLanguage) ?? 'en';
    try {
      await this.#load(known);
      reloaded();
    } catch {
      // Nothing is shown yet, so nothing is lost by it.
      if (reloadOnce()) return new Promise(() => undefined);
      await this.#load(known === 'en' ? 'de' : 'en');
    }
  }

  /** Changes the language. If its words cannot be had, the page stays as it is, and has the new one when loaded anew. */
  async choose(language: Language): Promise<void> {
    localStorage.setItem(KEY, language);
    await this.#load(language);
  }

  async #load(language: Language): Promise<void> {
    this.text = await LOAD[language]();
    this.language = language;
    document.documentElement.lang = language;
  }
}

function isLanguage(tag: string): tag is Language {
  return tag in LANGUAGES;
}

export const texts = new Texts();
