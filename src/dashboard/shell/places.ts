import { useContext } from 'react';
import { RoleContext } from '../session/role';

interface Place {
  path: string;
  name: string;
  /** The key that opens it after `g`. */
  key: string;
  forAdmins?: boolean;
}

const PLACES: readonly Place[] = [
  { path: '/', name: 'Overview', key: 'o' },
  { path: '/groups', name: 'Groups', key: 'c' },
  { path: '/dumps', name: 'Dumps', key: 'd' },
  { path: '/decode', name: 'Decode', key: 'p' },
  { path: '/devices', name: 'Devices', key: 'v' },
  { path: '/enrolment', name: 'Enrolment', key: 'e' },
  { path: '/firmware', name: 'Firmware', key: 'f' },
  { path: '/alerts', name: 'Alerts', key: 'a', forAdmins: true },
  { path: '/audit', name: 'Audit', key: 'u', forAdmins: true },
];

const PLACES_OF_VIEWERS = PLACES.filter(({ forAdmins }) => forAdmins !== true);

/** The pages of the navigation that the person may open. */
export function usePlaces(): readonly Place[] {
  return useContext(RoleContext) === 'admin' ? PLACES : PLACES_OF_VIEWERS;
}
