import { type FormEvent, type RefObject, useEffect, useState } from 'react';
import { useQuery } from 'urql';
import { useLocation, useSearchParams } from 'wouter';
import { graphql } from '../generated';
import { countOf, KIND_NAMES, type ShownHit, shownHit } from '../parts/search-hits';
import { useDebounced } from '../parts/use-debounced';
import { useOptions } from '../parts/use-options';

const SearchBox = graphql(`
  query SearchBox($query: String!) {
    search(query: $query) { kinds(first: 4) { kind count hasMore hits { ...HitInBox } } }
  }
`);

/** Shorter words find nearly everything. */
const FEWEST_LETTERS = 2;

/** Searches the whole fleet as one types; `/` moves the focus here. Enter without a chosen hit shows all results. */
export function SearchField({ inputRef }: { inputRef: RefObject<HTMLInputElement | null> }) {
  const [location, navigate] = useLocation();
  const [parameters] = useSearchParams();
  const asked = location === '/search' ? (parameters.get('q') ?? '') : '';
  const [text, setText] = useState(asked);
  const [isTyping, setTyping] = useState(false);
  useEffect(() => setText(asked), [asked]);

  const query = useDebounced(text.trim());
  const isWanted = isTyping && isSearchable(query);
  const [{ data, fetching, error }] = useQuery({
    query: SearchBox,
    variables: { query },
    pause: !isWanted,
    requestPolicy: 'network-only',
  });
  // The answer to what stands there now, not to what was typed before.
  const isCurrent = isWanted && query === text.trim() && !fetching;
  const kinds = (isCurrent ? data?.search?.kinds : undefined) ?? [];
  const sections = kinds.map((each) => ({
    ...each,
    hits: each.hits.map(shownHit).filter((hit) => hit !== null),
  }));
  const options = sections.flatMap(({ hits }) => hits);
  const isOpen = isWanted && isCurrent && error === undefined;

  const { active, field, idOf, listId, reset } = useOptions<ShownHit>({
    options,
    isOpen: isWanted,
    onTake: (hit) => open(hit.path),
    onClose: () => setTyping(false),
  });

  function open(path: string): void {
    setTyping(false);
    setText(asked);
    reset();
    navigate(path);
    inputRef.current?.blur();
  }
  function submit(event: FormEvent): void {
    event.preventDefault();
    if (text.trim() === '') return;
    setTyping(false);
    navigate(`/search?${new URLSearchParams({ q: text.trim() })}`);
    inputRef.current?.blur();
  }

  return (
    <search className="search-field">
      <form onSubmit={submit}>
        <input
          ref={inputRef}
          // Not "search": its Escape would empty the field.
          type="text"
          enterKeyHint="search"
          aria-label="Search the fleet"
          placeholder="Search devices, functions, versions, addresses"
          value={text}
          maxLength={200}
          {...field}
          onChange={(event) => {
            setText(event.target.value);
            setTyping(true);
            reset();
          }}
          onBlur={() => setTyping(false)}
        />
        <kbd>/</kbd>
        {isOpen && (
          <div className="search-box">
            <div id={listId} role="listbox" aria-label="What was found">
              {sections.map(({ kind, count, hasMore, hits }, section) => (
                // biome-ignore lint/a11y/useSemanticElements: groups of a listbox are no fieldsets
                <div key={kind} role="group" aria-label={KIND_NAMES[kind]}>
                  <p className="search-kind" aria-hidden="true">
                    {KIND_NAMES[kind]} <span className="count">{countOf(count, hasMore)}</span>
                  </p>
                  {hits.map((hit, index) => {
                    const at =
                      index + sections.slice(0, section).reduce((sum, one) => sum + one.hits.length, 0);
                    return (
                      // The field has the keyboard.
                      // biome-ignore lint/a11y/useFocusableInteractive: see above
                      // biome-ignore lint/a11y/useKeyWithClickEvents: see above
                      <div
                        key={hit.path}
                        id={idOf(at)}
                        role="option"
                        aria-selected={at === active}
                        onMouseDown={(event) => event.preventDefault()}
                        onClick={() => open(hit.path)}
                      >
                        <span className="search-title">{hit.title}</span>
                        <span className="count">{hit.detail}</span>
                      </div>
                    );
                  })}
                </div>
              ))}
            </div>
            <p className="search-foot" role="status">
              {options.length === 0 ? 'Nothing matches' : 'Enter: all results · ↓ to choose · Esc closes'}
            </p>
          </div>
        )}
      </form>
    </search>
  );
}

/** Something that the server takes for a search, which needs a letter or digit. */
function isSearchable(query: string): boolean {
  return query.length >= FEWEST_LETTERS && /[\p{L}\p{N}]/u.test(query);
}
