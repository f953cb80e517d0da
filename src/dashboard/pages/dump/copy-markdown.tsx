import { useClient } from 'urql';
import { graphql } from '../../generated';
import { CopyButton } from '../../parts/copy-button';

const MarkdownToCopy = graphql(`
  query MarkdownToCopy($id: ID!) { coredump(id: $id) { id markdown } }
`);

/** Copies the crash as Markdown, for a ticket or a chat: the text of `Coredump.markdown`. */
export function CopyMarkdown({ dumpId }: { dumpId: string }) {
  const client = useClient();
  async function read(): Promise<string> {
    const { data, error } = await client.query(MarkdownToCopy, { id: dumpId }).toPromise();
    if (data?.coredump == null) throw error ?? new Error('The dump was deleted.');
    return data.coredump.markdown;
  }
  return <CopyButton text={read} label="Copy as Markdown" look="button" />;
}
