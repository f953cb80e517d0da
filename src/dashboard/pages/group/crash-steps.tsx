import { useEffect } from 'react';
import { Link, useLocation, useSearchParams } from 'wouter';
import { Ago } from '../../parts/time';

/** A crash of the group next to the one that is shown. */
type Neighbor = { id: string } | null | undefined;

/** @returns of a crash of the group on its page, with the filters that there are */
export function useCrashAddress(): (crash: Neighbor) => string | null {
  const [location] = useLocation();
  const [parameters] = useSearchParams();
  return (crash) => {
    if (crash == null) return null;
    const next = new URLSearchParams(parameters);
    next.set('dump', crash.id);
    return `${location}?${next}`;
  };
}

/** To the crash of the group before and after the one that is shown, by buttons or by the keys n and p. */
export function CrashSteps({
  dump,
  newer,
  older,
  isNewest,
}: {
  dump: { id: string; uploadedAt: string; device: { key: string; name?: string | null } };
  newer: Neighbor;
  older: Neighbor;
  isNewest: boolean;
}) {
  const [, navigate] = useLocation();
  const addressOf = useCrashAddress();
  const [toNewer, toOlder] = [addressOf(newer), addressOf(older)];

  useEffect(() => {
    function handle(event: KeyboardEvent) {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      const isTyping = event.target instanceof HTMLElement && event.target.matches('input, textarea, select');
      if (isTyping || document.querySelector('dialog[open]') !== null) return;
      const address = event.key === 'n' ? toOlder : event.key === 'p' ? toNewer : null;
      if (address !== null) navigate(address);
    }
    document.addEventListener('keydown', handle);
    return () => document.removeEventListener('keydown', handle);
  }, [navigate, toNewer, toOlder]);

  return (
    <nav className="crash-steps" aria-label="Crashes of the group">
      <span>
        {isNewest ? 'Newest crash' : 'Crash'}:{' '}
        <Link href={`/dumps/${encodeURIComponent(dump.id)}`}>dump</Link> of{' '}
        <Link href={`/devices/${dump.device.key}`}>{dump.device.name ?? dump.device.key}</Link>,{' '}
        <Ago at={dump.uploadedAt} />
      </span>
      <span className="actions">
        <Step name="← Newer" to={toNewer} title="The crash that arrived after it (p)" />
        <Step name="Older →" to={toOlder} title="The crash that arrived before it (n)" />
      </span>
    </nav>
  );
}

function Step({ name, to, title }: { name: string; to: string | null; title: string }) {
  if (to === null) {
    return (
      <button type="button" className="button" disabled>
        {name}
      </button>
    );
  }
  return (
    <Link href={to} className="button" title={title}>
      {name}
    </Link>
  );
}
