import { createContext, type ReactNode, useContext } from 'react';
import type { Role } from './page-config';

/** What the person who uses the page may do. */
export const RoleContext = createContext<Role>('viewer');

/** A page for admins only: a viewer who opens its address reads that it is. */
export function AdminsPage({ children }: { children: ReactNode }) {
  if (useContext(RoleContext) === 'admin') return children;
  return (
    <div className="empty">
      <h1>This page is for admins</h1>
      <p>
        You have signed in as a viewer: you can see the fleet and change nothing. Ask an admin, or sign in as
        one.
      </p>
    </div>
  );
}

/** Leaves out what the server would refuse to a viewer. */
export function ForAdmins({ children }: { children: ReactNode }) {
  return useContext(RoleContext) === 'admin' ? children : null;
}
