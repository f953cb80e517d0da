import { useState } from 'react';

/** Text to copy and run elsewhere. */
export function CodeBlock({ text, label }: { text: string; label: string }) {
  return (
    <div className="code-block">
      <div className="code-block-head">
        <span>{label}</span>
        <CopyButton text={text} />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <pre tabIndex={0}>{text}</pre>
    </div>
  );
}

const SAID_MS = 1_500;

export function CopyButton({ text, name = 'Copy' }: { text: string; name?: string }) {
  const [isCopied, setCopied] = useState(false);
  async function copy() {
    await copyText(text);
    setCopied(true);
    window.setTimeout(() => setCopied(false), SAID_MS);
  }
  return (
    <button type="button" className="quiet-button" onClick={() => void copy()}>
      {isCopied ? 'Copied' : name}
    </button>
  );
}

async function copyText(text: string): Promise<void> {
  if (window.isSecureContext) return navigator.clipboard.writeText(text);
  // Browsers have no clipboard API over plain HTTP from another machine, only this.
  const field = document.createElement('textarea');
  field.value = text;
  document.body.append(field);
  field.select();
  document.execCommand('copy');
  field.remove();
}
