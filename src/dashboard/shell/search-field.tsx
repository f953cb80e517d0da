import { type FormEvent, type RefObject, useEffect, useState } from 'react';
import { useLocation, useSearchParams } from 'wouter';

/** Searches the whole fleet; `/` moves the focus here. */
export function SearchField({ inputRef }: { inputRef: RefObject<HTMLInputElement | null> }) {
  const [location, navigate] = useLocation();
  const [parameters] = useSearchParams();
  const asked = location === '/search' ? (parameters.get('q') ?? '') : '';
  const [text, setText] = useState(asked);
  useEffect(() => setText(asked), [asked]);

  function submit(event: FormEvent) {
    event.preventDefault();
    if (text.trim() === '') return;
    navigate(`/search?${new URLSearchParams({ q: text.trim() })}`);
    inputRef.current?.blur();
  }

  return (
    <search className="search-field">
      <form onSubmit={submit}>
        <input
          ref={inputRef}
          type="search"
          aria-label="Search the fleet"
          placeholder="Search functions, files, reasons, devices"
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        <kbd>/</kbd>
      </form>
    </search>
  );
}
