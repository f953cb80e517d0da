import { Fragment } from 'react';

/** Only https: nothing else that looks like an address becomes one. */
const LINK = /https:\/\/[^\s<>"'`]+/g;
/** The end of a sentence is no part of an address. */
const AFTER = /[.,;:!?)\]]+$/;

/** Plain text of people, with its line breaks and with links. */
export function LinkedText({ text }: { text: string }) {
  return (
    <span className="note-text">
      {partsOf(text).map((part, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: parts have no name, and the text is drawn as a whole
        <Fragment key={index}>
          {part.isLink ? <ExternalLink href={part.text}>{part.text}</ExternalLink> : part.text}
        </Fragment>
      ))}
    </span>
  );
}

export function ExternalLink({ href, children }: { href: string; children: string }) {
  return (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  );
}

function partsOf(text: string): { text: string; isLink: boolean }[] {
  const parts: { text: string; isLink: boolean }[] = [];
  let from = 0;
  for (const { 0: found, index } of text.matchAll(LINK)) {
    const link = found.replace(AFTER, '');
    if (!URL.canParse(link)) continue;
    if (index > from) parts.push({ text: text.slice(from, index), isLink: false });
    parts.push({ text: link, isLink: true });
    from = index + link.length;
  }
  if (from < text.length) parts.push({ text: text.slice(from), isLink: false });
  return parts;
}
