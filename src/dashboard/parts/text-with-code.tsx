/** Text of a crash report with code between backticks. It is rendered as text: nothing in it becomes markup. */
export function TextWithCode({ text }: { text: string }) {
  return (
    <>
      {text.split('`').map((part, index) =>
        index % 2 === 1 ? (
          // biome-ignore lint/suspicious/noArrayIndexKey: the parts of one sentence never change places
          <code key={index}>{part}</code>
        ) : (
          part
        ),
      )}
    </>
  );
}
