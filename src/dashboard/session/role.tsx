import { createContext, type ReactNode, useContext } from 'react';
import type { Role } from './page-config';

/** The role of the person who uses the page. */
export const RoleContext = createContext<Role>('viewer');

/** Whether people, programs and devices need credentials here. */
export const AuthenticationContext = createContext(true);

/** A page for admins only: viewers see a message instead. */
export function AdminsPage({ children }: { children: ReactNode }) {
  if (useContext(RoleContext) === 'admin') return children;
  return (
    <div className="empty">
      <h1>This page is for admins</h1>
      <p>
        You have signed in as a viewer: you can see the fleet, but not change anything. Ask an admin, or sign
        in as one.
      </p>
    </div>
  );
}

/** Hides its content from viewers, because the server would refuse it. */
export function ForAdmins({ children }: { children: ReactNode }) {
  return useContext(RoleContext) === 'admin' ? children : null;
}
