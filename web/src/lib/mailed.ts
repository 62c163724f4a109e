import type { Mailed } from './api/mail';
import type { MailWords } from './text/en-mail';

/** An address just made, to be given to somebody. */
export interface Given {
  /** What it is, where it is passed on by hand. */
  words: string;
  address: string;
  /** That a mail brings it. */
  sent?: string;
  /** That one should have, and does not; and what the service says why. */
  unsent?: string;
  trouble?: string;
}

/** What came of mailing an invitation to `to`; a service that sends no mail says nothing of it. */
export function invited(given: Given, to: string, { mailed, mail_trouble }: Mailed, { invite: t }: MailWords): Given {
  if (to === '') return given;
  if (mailed) return { ...given, sent: t.sent(to) };
  return { ...given, unsent: t.failed(to), ...(mail_trouble === null ? {} : { trouble: mail_trouble }) };
}
