import { useEffect, useRef, useState } from 'react';

/** How long the button says that it has copied. */
const SAID_MS = 1_500;

interface CopyButtonProps {
  /** What is copied, or how it is read first. */
  text: string | (() => Promise<string>);
  /** What the button says: "Copy", "Copy as Markdown". */
  label?: string;
  /** What it copies, where its label alone does not tell: "Copy SHA-256". Contains the label. */
  name?: string;
  /** Among other actions it looks like them. */
  look?: 'button' | 'quiet-button';
}

/** Copies a text, and says so, to screen readers too. */
export function CopyButton({ text, label = 'Copy', name, look = 'quiet-button' }: CopyButtonProps) {
  const [outcome, setOutcome] = useState<'' | 'Copied' | 'Not copied'>('');
  const timer = useRef<number | undefined>(undefined);
  useEffect(() => () => window.clearTimeout(timer.current), []);

  async function copy() {
    const isCopied = await copyText(text).catch(() => false);
    setOutcome(isCopied ? 'Copied' : 'Not copied');
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => setOutcome(''), SAID_MS);
  }
  return (
    <>
      <button type="button" className={look} aria-label={name} title={name} onClick={() => void copy()}>
        {outcome === '' ? label : outcome}
      </button>
      <span role="status" className="visually-hidden">
        {outcome}
      </span>
    </>
  );
}

/** @returns whether it is in the clipboard. @throws what reading the text throws */
async function copyText(source: CopyButtonProps['text']): Promise<boolean> {
  if (typeof source === 'string') return (await copyByApi(source)) || copyBySelection(source);
  const text = source();
  // Safari copies after a pause only what it was promised during the click.
  if (await copyPromised(text)) return true;
  const known = await text;
  return (await copyByApi(known)) || copyBySelection(known);
}

/** Over plain HTTP from another machine browsers have no clipboard API; elsewhere it may be forbidden. */
async function copyByApi(text: string): Promise<boolean> {
  if (navigator.clipboard === undefined) return false;
  return navigator.clipboard.writeText(text).then(
    () => true,
    () => false,
  );
}

async function copyPromised(text: Promise<string>): Promise<boolean> {
  if (navigator.clipboard?.write === undefined || typeof ClipboardItem === 'undefined') return false;
  const blob = text.then((known) => new Blob([known], { type: 'text/plain' }));
  return navigator.clipboard.write([new ClipboardItem({ 'text/plain': blob })]).then(
    () => true,
    () => false,
  );
}

function copyBySelection(text: string): boolean {
  const before = document.activeElement;
  const field = document.createElement('textarea');
  field.value = text;
  field.className = 'visually-hidden';
  // Inside an open dialog, whatever is outside of it cannot get the focus.
  (before?.closest('dialog') ?? document.body).append(field);
  field.select();
  const isCopied = document.execCommand('copy');
  field.remove();
  if (before instanceof HTMLElement) before.focus();
  return isCopied;
}
