import { useState } from 'react';
import { type AnyVariables, type TypedDocumentNode, useMutation } from 'urql';
import { WITH_FILE } from '../api/client';
import { useLive } from '../api/live';
import { messageOf } from '../api/messages';
import type { Whole } from '../api/whole';
import { useToasts } from './toasts';

/**
 * A mutation for a button: a failure is shown as a toast; after a success all visible data is read again.
 *
 * @param options.labels of fields: a refusal that begins with the API's name of one begins with its label
 * @param options.sendsFile whether its variables have a file
 * @returns the answer's data, or undefined after a failure
 */
export function useAction<Data, Variables extends AnyVariables>(
  mutation: TypedDocumentNode<Data, Variables>,
  { labels = {}, sendsFile = false }: { labels?: Readonly<Record<string, string>>; sendsFile?: boolean } = {},
): { run(variables: Variables): Promise<Whole<Data> | undefined>; isRunning: boolean } {
  const [, execute] = useMutation(mutation);
  const [isRunning, setRunning] = useState(false);
  const { readAgain } = useLive();
  const { show } = useToasts();

  async function run(variables: Variables): Promise<Whole<Data> | undefined> {
    setRunning(true);
    const { data, error } = await execute(variables, sendsFile ? WITH_FILE : {});
    setRunning(false);
    if (error !== undefined) {
      show({ text: labelled(messageOf(error), labels), isError: true });
      return undefined;
    }
    readAgain();
    return data as Whole<Data> | undefined;
  }
  return { run, isRunning };
}

function labelled(message: string, labels: Readonly<Record<string, string>>): string {
  const [field = ''] = message.split(' ', 1);
  const label = Object.hasOwn(labels, field) ? labels[field] : undefined;
  return label === undefined ? message : `“${label}”${message.slice(field.length)}`;
}
