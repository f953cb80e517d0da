import { readdirSync, readFileSync } from 'node:fs';
import {
  type DocumentNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  parse,
  print,
} from 'graphql';

const FOLDER = new URL('./operations/', import.meta.url);

/** An operation of a dashboard of a fleet, as its authors would have written it, with the fragments of its file. */
export interface DashboardOperation {
  name: string;
  /** The document that it stands in; several may share one. */
  file: string;
  kind: OperationDefinitionNode['operation'];
  text: string;
  document: DocumentNode;
}

/** The documents of `operations/`, by file name. */
export function dashboardDocuments(): Array<{ file: string; text: string }> {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.graphql'))
    .map((file) => ({ file, text: readFileSync(new URL(file, FOLDER), 'utf8') }));
}

export function dashboardOperations(): DashboardOperation[] {
  return dashboardDocuments().flatMap(({ file, text }) => {
    const { definitions } = parse(text, { noLocation: true });
    const fragments = definitions.filter(
      (node): node is FragmentDefinitionNode => node.kind === Kind.FRAGMENT_DEFINITION,
    );
    return definitions
      .filter((node): node is OperationDefinitionNode => node.kind === Kind.OPERATION_DEFINITION)
      .map((operation) => {
        const document: DocumentNode = { kind: Kind.DOCUMENT, definitions: [operation, ...fragments] };
        const name = operation.name?.value;
        if (name === undefined) throw new Error(`${file}: an operation without a name`);
        return { name, file, kind: operation.operation, text: print(document), document };
      });
  });
}
