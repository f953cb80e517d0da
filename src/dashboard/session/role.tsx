import { createContext, type ReactNode, useContext } from 'react';
import type { Role } from './page-config';

/** What the person who uses the page may do. */
export const RoleContext = createContext<Role>('viewer');

/** Leaves out what the server would refuse to a viewer. */
export function ForAdmins({ children }: { children: ReactNode }) {
  return useContext(RoleContext) === 'admin' ? children : null;
}
