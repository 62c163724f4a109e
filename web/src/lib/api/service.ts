import { ask, send } from './http';
import type { Service, ServiceTerms } from './types';

// What operators say of the service.

export const changeService = (terms: ServiceTerms): Promise<Service> => ask('PATCH', 'service', terms);
export const putLogo = (picture: Blob) => send('PUT', 'service/logo', picture);
export const removeLogo = () => send('DELETE', 'service/logo');
