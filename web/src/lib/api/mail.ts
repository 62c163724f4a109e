import { send } from './http';
import type { InvitationMade } from './schema';

/** Where an account's mails go. */
export type { Mail as AccountMail } from './schema';

/** Sends a code there; the same address again sends another one. */
export const setMail = (address: string, password?: string) => send('PUT', 'mail', { address, password });
export const removeMail = () => send('DELETE', 'mail');
/** Needs no session: the code is proof enough. */
export const confirmMail = (code: string) => send('POST', 'mail/confirm', { code });

/** By name or mail address. The answer is the same whether there is such an account or not. */
export const forgot = (name: string) => send('POST', 'password/forgot', { name });

/** Operators: a mail to their own address, tried at once. */
export const testMail = () => send('POST', 'service/mail');
/** What came of mailing an address that was made for somebody. */
export type Mailed = Pick<InvitationMade, 'mailed' | 'mail_trouble'>;
