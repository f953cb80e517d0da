import type { ReactNode } from 'react';

/** A link to a page of somebody else, which opens beside this one and learns nothing of it. */
export function OutsideLink({
  href,
  label,
  className,
  children,
}: {
  href: string;
  /** What readers of the page hear in place of its text. */
  label?: string | undefined;
  className?: string | undefined;
  children: ReactNode;
}) {
  return (
    <a
      href={href}
      target="_blank"
      rel="noopener noreferrer"
      aria-label={label}
      title={label}
      className={className}
    >
      {children}
      <span className="out-mark" aria-hidden="true">
        ↗
      </span>
    </a>
  );
}
