import { useEffect, useEffectEvent, useState } from 'react';

/** Longer texts are kept as a file: a text area with a megabyte in it is slow. */
export const LONGEST_TYPED = 100_000;

/**
 * Takes what is dropped or pasted anywhere on the page, except into its other fields.
 *
 * @param field the text area, which takes shorter texts by itself
 * @returns whether something is dragged over the page
 */
export function useDropAndPaste({
  field,
  onFiles,
  onText,
}: {
  field: HTMLTextAreaElement | null;
  onFiles: (files: readonly File[]) => void;
  onText: (text: string) => void;
}): boolean {
  const [isOver, setOver] = useState(false);

  /** @returns whether there was something to take */
  const take = useEffectEvent((data: DataTransfer | null): boolean => {
    const files = [...(data?.files ?? [])];
    const text = data?.getData('text/plain') ?? '';
    if (files.length > 0) onFiles(files);
    else if (text !== '') onText(text);
    return files.length > 0 || text !== '';
  });
  const paste = useEffectEvent((event: ClipboardEvent) => {
    const isInField = event.target === field;
    if (!isInField && isOtherField(event.target)) return;
    const text = event.clipboardData?.getData('text/plain') ?? '';
    if (isInField && event.clipboardData?.files.length === 0 && text.length <= LONGEST_TYPED) return;
    if (take(event.clipboardData)) event.preventDefault();
  });

  useEffect(() => {
    const over = (event: DragEvent) => {
      if (isOtherField(event.target)) return;
      event.preventDefault();
      setOver(true);
    };
    const leave = (event: DragEvent) => {
      // Between two elements of the page there is a next one.
      if (event.relatedTarget === null) setOver(false);
    };
    const drop = (event: DragEvent) => {
      setOver(false);
      if (isOtherField(event.target)) return;
      event.preventDefault();
      take(event.dataTransfer);
    };
    document.addEventListener('dragover', over);
    document.addEventListener('dragleave', leave);
    document.addEventListener('drop', drop);
    document.addEventListener('paste', paste);
    return () => {
      document.removeEventListener('dragover', over);
      document.removeEventListener('dragleave', leave);
      document.removeEventListener('drop', drop);
      document.removeEventListener('paste', paste);
    };
  }, []);
  return isOver;
}

/** A field that is not for the crash, or a dialog: what is pasted there is meant for it. */
function isOtherField(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    target.closest('input:not([type="checkbox"], [type="radio"], [type="file"]), select, dialog[open]') !==
      null
  );
}
