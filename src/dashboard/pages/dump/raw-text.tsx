import { CopyButton } from '../../parts/copy-button';

/** The report as text in the layout of `esp-coredump info_corefile`, or the reason why there is none. */
export function RawText({ output, isOpen = false }: { output: string; isOpen?: boolean }) {
  const text = printable(output);
  return (
    <details className="card raw-text" open={isOpen}>
      <summary className="card-head" data-row>
        <h2>Raw text</h2>
      </summary>
      <div className="raw-tools">
        <CopyButton text={text} label="Copy all" />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <section tabIndex={0} className="raw-scroll" aria-label="Parsed output">
        <pre>{text}</pre>
      </section>
    </details>
  );
}

/**
 * Replaces control characters (a device can put escape sequences into its panic reason) by Unicode's visible symbols.
 */
function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, (character) =>
    character === '\u007f' ? '␡' : String.fromCharCode(0x2400 + character.charCodeAt(0)),
  );
}
