import { useState } from 'react';
import { type AnyVariables, type TypedDocumentNode, useMutation } from 'urql';
import { useLive } from '../api/live';
import { messageOf } from '../api/messages';
import type { Whole } from '../api/whole';
import { useToasts } from './toasts';

/**
 * A mutation for a button: a failure is shown as a toast; after a success all visible data is read again.
 *
 * @returns the answer's data, or undefined after a failure
 */
export function useAction<Data, Variables extends AnyVariables>(
  mutation: TypedDocumentNode<Data, Variables>,
): { run(variables: Variables): Promise<Whole<Data> | undefined>; isRunning: boolean } {
  const [, execute] = useMutation(mutation);
  const [isRunning, setRunning] = useState(false);
  const { readAgain } = useLive();
  const { show } = useToasts();

  async function run(variables: Variables): Promise<Whole<Data> | undefined> {
    setRunning(true);
    const { data, error } = await execute(variables);
    setRunning(false);
    if (error !== undefined) {
      show({ text: messageOf(error), isError: true });
      return undefined;
    }
    readAgain();
    return data as Whole<Data> | undefined;
  }
  return { run, isRunning };
}
