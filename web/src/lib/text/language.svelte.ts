import { en, type Text } from './en';

export const LANGUAGES = { en: 'English', de: 'Deutsch' } as const;
export type Language = keyof typeof LANGUAGES;

const KEY = 'holdfast.language';

/** The language of the page: the one chosen, else the first of the browser's that we have. */
class Texts {
  language: Language = $state('en');
  /** All words. English until another language has come. */
  text: Text = $state.raw(en);

  async start(): Promise<void> {
    const wanted = [localStorage.getItem(KEY) ?? '', ...navigator.languages];
    const known = wanted.map((tag) => tag.slice(0, 2).toLowerCase()).find(isLanguage);
    await this.#load(known ?? 'en');
  }

  async choose(language: Language): Promise<void> {
    localStorage.setItem(KEY, language);
    await this.#load(language);
  }

  async #load(language: Language): Promise<void> {
    this.text = language === 'de' ? (await import('./de')).de : en;
    this.language = language;
    document.documentElement.lang = language;
  }
}

function isLanguage(tag: string): tag is Language {
  return tag in LANGUAGES;
}

export const texts = new Texts();
