import { type ReactNode, useCallback, useEffect, useRef, useState } from 'react';
import { Link, useLocation } from 'wouter';
import { useConnectionState } from '../api/live';
import { withBase } from '../base-path';
import { AccountMenu } from './account-menu';
import { KeysDialog } from './keys-dialog';
import { usePlaces } from './places';
import { SearchField } from './search-field';
import { ThemeToggle } from './theme-toggle';
import { useKeys } from './use-keys';

/** The frame around every page: navigation, search, and the state of the connection. */
export function Shell({ isSignedIn, children }: { isSignedIn: boolean; children: ReactNode }) {
  const [isHelpOpen, setHelpOpen] = useState(false);
  const search = useRef<HTMLInputElement>(null);
  const onSearch = useCallback(() => search.current?.focus(), []);
  const onHelp = useCallback(() => setHelpOpen(true), []);
  useKeys({ onSearch, onHelp });

  return (
    <>
      <a className="skip-link" href="#content">
        Skip to content
      </a>
      <header className="top-bar">
        <Link href="/" className="brand" aria-label="Coredock, overview">
          <img src={withBase('/favicon.svg')} alt="" width="22" height="22" />
          <span>Coredock</span>
        </Link>
        <Places />
        <SearchField inputRef={search} />
        <div className="top-tools">
          <LiveMark />
          <ThemeToggle />
          <button type="button" className="icon-button" aria-label="Keyboard shortcuts" onClick={onHelp}>
            ?
          </button>
          {isSignedIn && <AccountMenu />}
        </div>
      </header>
      <main id="content" tabIndex={-1}>
        {children}
      </main>
      <KeysDialog isOpen={isHelpOpen} onClose={() => setHelpOpen(false)} />
    </>
  );
}

function Places() {
  const [location] = useLocation();
  const places = usePlaces();
  const nav = useRef<HTMLElement>(null);
  // In a narrow window the navigation scrolls, and the current page may be out of sight.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the place depends on the address
  useEffect(() => {
    nav.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [location]);

  return (
    <nav ref={nav} className="places" aria-label="Pages">
      {places.map(({ path, name }) => {
        const isHere = path === '/' ? location === '/' : location === path || location.startsWith(`${path}/`);
        return (
          <Link key={path} href={path} aria-current={isHere ? 'page' : undefined}>
            {name}
          </Link>
        );
      })}
    </nav>
  );
}

const LIVE_TEXTS = {
  live: { label: 'Live', title: 'Changes show without a reload' },
  connecting: { label: 'Connecting', title: 'The page is connecting to the server' },
  lost: { label: 'Reconnecting', title: 'The connection is broken; the page reconnects automatically' },
};

function LiveMark() {
  const state = useConnectionState();
  const { label, title } = LIVE_TEXTS[state];
  return (
    <span className="live-mark" data-state={state} role="status" title={title}>
      <span className="dot" aria-hidden="true" />
      <span className="live-label">{label}</span>
    </span>
  );
}
