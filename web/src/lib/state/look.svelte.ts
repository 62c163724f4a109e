const KEY = 'holdfast.look';
export const LOOKS = ['auto', 'light', 'dark'] as const;
export type Look = (typeof LOOKS)[number];

/** Light or dark, or as the device has it. Tokens in tokens.css follow the attribute. */
class Looks {
  look: Look = $state(read());

  constructor() {
    this.#show();
  }

  choose(look: Look): void {
    this.look = look;
    localStorage.setItem(KEY, look);
    this.#show();
  }

  #show(): void {
    document.documentElement.dataset['look'] = this.look;
  }
}

function read(): Look {
  const kept = localStorage.getItem(KEY);
  return LOOKS.find((look) => look === kept) ?? 'auto';
}

export const looks = new Looks();
