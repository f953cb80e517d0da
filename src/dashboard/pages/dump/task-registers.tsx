import { type ReactNode, useState } from 'react';
import { useQuery } from 'urql';
import { graphql } from '../../generated';
import type { TaskOnPageFragment } from '../../generated/graphql';
import { ErrorNotice, Loading } from '../../parts/notices';
import { RegisterTable } from './registers';

const RegistersOfTasks = graphql(`
  query RegistersOfTasks($id: ID!) {
    coredump(id: $id) { id report { tasks { tcb name core registers { name value symbol meaning } } } }
  }
`);

/** A task's registers at its last switch, read when they are unfolded. */
export function TaskRegisters({ dumpId, task }: { dumpId: string; task: TaskOnPageFragment }) {
  return (
    <FoldedRegisters>
      <Loaded dumpId={dumpId} task={task} />
    </FoldedRegisters>
  );
}

/** @param children what is shown when they are unfolded, made then */
export function FoldedRegisters({ children }: { children: ReactNode }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details className="task-registers" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary data-row>Registers</summary>
      {isOpen && children}
    </details>
  );
}

function Loaded({ dumpId, task }: { dumpId: string; task: TaskOnPageFragment }) {
  const [{ data, error }] = useQuery({ query: RegistersOfTasks, variables: { id: dumpId } });
  if (error !== undefined) return <ErrorNotice error={error} />;
  if (data === undefined) return <Loading />;
  const registers = data.coredump?.report?.tasks.find((each) => isSameTask(each, task))?.registers ?? [];
  if (registers.length === 0) return <p className="backtrace-end">The dump has none.</p>;
  return <RegisterTable registers={registers} />;
}

/** In texts all tasks have the address 0. */
export function isSameTask(a: TaskOfReport, b: TaskOfReport): boolean {
  return a.tcb === b.tcb && a.name === b.name && a.core === b.core;
}

type TaskOfReport = Pick<TaskOnPageFragment, 'tcb' | 'name' | 'core'>;
